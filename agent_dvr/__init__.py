"""video_capture: takes the files that a DVR leaves and hands them to the pipeline."""

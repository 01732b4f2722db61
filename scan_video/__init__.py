"""The room of the scanner: from a video file to an analytic of what was seen in it.

``probe`` and ``frames`` read the file, ``detectors`` and ``faces`` look at pictures, ``counting`` and
``start_time`` decide, ``pictures`` draws, ``analytic`` puts the document together, and ``scan_video``
is the command line.
"""

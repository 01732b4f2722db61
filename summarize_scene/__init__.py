"""The summarizer: what a video's analytic says, in words that name nothing else."""

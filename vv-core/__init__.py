"""What two or more rooms of VV-Video-AI-System share, and what its scripts decide."""

__version__ = "0.1.0"

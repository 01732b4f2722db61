"""Clips for TVs: what of the processed videos a browser plays, and a standard version of the rest."""

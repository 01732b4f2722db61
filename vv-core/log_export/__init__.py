"""Logs packed for an archive, with a manifest of hashes."""

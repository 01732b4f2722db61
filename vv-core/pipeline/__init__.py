"""What the orchestrator decides and does; ``scripts/orchestrator.py`` is its command line."""

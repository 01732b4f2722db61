"""Self-healing: container states become restarts, pauses and alerts."""

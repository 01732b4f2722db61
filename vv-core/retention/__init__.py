"""What may be deleted when, and deleting it."""

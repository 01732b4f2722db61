"""What TVs show when there is nothing else: drawn by the project itself, checked, put in place."""

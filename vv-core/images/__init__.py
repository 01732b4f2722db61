"""Images up to date: what has changed, what is built anew, and back to the last that was healthy."""

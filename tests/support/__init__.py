"""Real implementations of the product's interfaces that are quick enough for thousands of runs."""

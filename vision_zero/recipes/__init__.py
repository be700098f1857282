"""Recipes before a run: checking configuration files, and what their results depend on beside them."""

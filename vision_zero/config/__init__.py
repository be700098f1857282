"""The configuration tree: frozen pydantic models, no torch."""

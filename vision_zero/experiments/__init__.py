"""Ablations, and results over several seeds for documents."""

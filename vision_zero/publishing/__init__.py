"""Handing out a promoted policy."""

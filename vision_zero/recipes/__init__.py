"""Checks of recipes before a run, and fingerprints of the files that their results depend on."""

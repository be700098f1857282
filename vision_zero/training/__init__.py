"""Iterative-SPO: the stage controller, the two trainers, and the state that travels from run to run."""

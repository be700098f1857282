"""Throughput measurements: pair generation, rollouts, and training iterations."""

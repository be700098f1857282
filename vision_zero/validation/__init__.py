"""Quality checks of pairs: measurements, expectations, deduplication, the artifact probe, and the verdict."""

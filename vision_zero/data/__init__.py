"""Image pairs as data: the pair, tables and shards of them, splits, sampling, and reading from remote storage."""

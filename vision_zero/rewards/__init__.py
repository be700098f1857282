"""One credit rule a file: pure functions over transcripts and numbers, each with its equation."""

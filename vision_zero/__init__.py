"""Vision-Zero: a vision-language model improves itself by playing "Who is the spy?" (arXiv 2509.25541)."""

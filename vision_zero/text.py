"""Text that can be written: what every encoder takes."""

from __future__ import annotations


def well_formed(text: str) -> str:
    """The same text, where each half of a surrogate pair is joined with its other half, or replaced (U+FFFD) if that is missing.

    JSON may hold such halves (a reply that was cut in the middle of an emoji), and no file and no tokenizer takes them.
    """
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

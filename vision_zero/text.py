"""Text that can be stored and tokenized: lone surrogates, which UTF-8 cannot encode, are replaced."""

from __future__ import annotations


def well_formed(text: str) -> str:
    """The text with surrogate pairs joined and lone surrogates replaced by U+FFFD.

    JSON and file names may contain them (a reply truncated inside an emoji); files and tokenizers reject them.
    """
    return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def single_line(text: str) -> str:
    """Well-formed, in one line, with single spaces."""
    return " ".join(well_formed(text).split())

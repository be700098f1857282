"""Text of others, made safe to store: it may hold halves of characters, which no file in UTF-8 can."""

from __future__ import annotations

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def storable(text: str) -> str:
    """The text without lone surrogates: JSON and file names may hold them, UTF-8 may not. Two that belong together are joined."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def flat(text: str) -> str:
    """Storable, in one line, with single spaces."""
    return " ".join(storable(text).split())

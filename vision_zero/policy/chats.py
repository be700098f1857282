"""Chats as transformers' processors take them: one user message of an image and a text, and a reply that has begun or has not."""

from __future__ import annotations

from typing import Any

from PIL import Image

from vision_zero.text import well_formed

Messages = list[dict[str, Any]]


def user_message(text: str, image: Image.Image | None = None) -> Messages:
    """A chat with one user message: the image, if any, then the text."""
    part = [] if image is None else [{"type": "image", "image": image}]
    return [{"role": "user", "content": [*part, {"type": "text", "text": well_formed(text)}]}]


def begin_reply(messages: Messages, text: str) -> Messages:
    """The chat with a prefilled reply: the completion continues the given text."""
    return [*messages, {"role": "assistant", "content": [{"type": "text", "text": text}]}] if text else messages


def begun_reply(messages: Messages) -> str:
    """The prefix of the chat's next reply."""
    return str(messages[-1]["content"][0]["text"]) if messages[-1]["role"] == "assistant" else ""


def before_reply(messages: Messages) -> Messages:
    """The chat up to where the next reply begins."""
    return messages[:-1] if messages[-1]["role"] == "assistant" else messages


def text_length(messages: Messages) -> int:
    """Characters of a chat's text."""
    return sum(len(part.get("text", "")) for message in messages for part in message["content"])

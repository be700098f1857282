"""Checks that model and processor match, on one small image, before anything is generated or trained.

A processor writes one placeholder token per image feature of the model. If the two disagree, some families fail deep inside a
step, and others silently insert features of the wrong image.
"""

from __future__ import annotations

import re
from typing import Any

import torch
from jinja2 import TemplateError
from PIL import Image

from vision_zero.errors import PolicyError, first_line
from vision_zero.policy.adapter_io import unwrapped
from vision_zero.policy.chats import Messages, user_message
from vision_zero.policy.policy import Policy

_ADVICE = "the processor's files and the model's belong to different models; take both from one"
_QUESTION = "\n".join(["What do you see?"] * 40)
"""As long as a prompt of a game."""
_PARTS = re.compile(r"""['"]type['"]: *['"]text['"]""")
_RULES = "You are one of several players."


def check_processor(policy: Policy) -> None:
    """Encode a question about a small image and compare its placeholder tokens with the model's image features.

    Raises:
        PolicyError: the chat template drops the question, its end, the image or a system message, or writes parts as they are
            stored; or the processor writes tokens that the model does not know, or a different number of them.
    """
    model, asked = policy.model, user_message(_QUESTION, Image.new("RGB", (320, 240), (90, 120, 150)))
    try:
        rendered = str(policy.processor.apply_chat_template(asked, add_generation_prompt=True, tokenize=False))
        placeholder = getattr(policy.processor, "image_token", None)
        if placeholder is not None and str(placeholder) not in rendered:
            raise PolicyError(f"the chat template drops the image of a message: it must write {placeholder} for it")
        if _PARTS.search(rendered):
            raise PolicyError(
                "the chat template writes the parts of a message as they are stored: it must go through them and write their text"
            )
        inputs = policy.encode([asked])
    except (ValueError, TypeError, KeyError, IndexError, TemplateError) as error:
        raise PolicyError(f"the processor cannot prepare an image: {first_line(error)} ({_ADVICE})") from error
    read = policy.processor.tokenizer.decode(inputs["input_ids"][0], skip_special_tokens=True)
    if _plain(_QUESTION) not in _plain(read):
        raise PolicyError(
            "the chat template drops the text of a message, or its end, or the tokenizer cannot write it: "
            f"{_QUESTION[:40]!r}… arrives as {first_line(ValueError(read))[:60]!r}"
        )
    if not _takes_system_part(policy, asked):
        raise PolicyError("the chat template drops the system part of a message: it must write its text before the user's")
    known = int(unwrapped(model.get_input_embeddings()).num_embeddings)
    largest = int(inputs["input_ids"].max())
    if largest >= known:
        raise PolicyError(f"the tokenizer writes token {largest}, but the model knows {known} tokens: {_ADVICE}")
    pad = policy.processor.tokenizer.pad_token_id
    if pad is not None and pad >= known:
        raise PolicyError(
            f"the padding token {policy.processor.tokenizer.pad_token} is token {pad}, but the model knows {known} tokens: name "
            "one of these as pad_token in tokenizer_config.json"
        )
    places = sum(int((inputs["input_ids"] == token).sum()) for token in policy.image_tokens)
    features = _features(model, inputs)
    if places != features:
        raise PolicyError(f"the processor writes {places} tokens for an image of which the model makes {features}: {_ADVICE}")


def _takes_system_part(policy: Policy, asked: Messages) -> bool:
    """Whether a system message reaches the prompt or raises an error, as in some families. Games have none, but other prompts
    may."""
    system = {"role": "system", "content": [{"type": "text", "text": _RULES}]}
    try:
        rendered = policy.processor.apply_chat_template([system, *asked], add_generation_prompt=True, tokenize=False)
    except (ValueError, TypeError, KeyError, IndexError, TemplateError):
        return True
    return _plain(_RULES) in _plain(str(rendered))


def _plain(text: str) -> str:
    """Text without spaces and capitals, which tokenizers may change."""
    return "".join(text.split()).casefold()


@torch.inference_mode()
def _features(model: Any, inputs: dict[str, Any]) -> int:
    """Number of image features that the model computes from its inputs."""
    if not hasattr(model, "get_image_features"):
        raise PolicyError(f"{type(model).__name__} has no image features to count: policy.base must be of another family")
    shown = {name: value for name, value in inputs.items() if name.startswith(("pixel_", "image_"))}
    try:
        made = model.get_image_features(**shown, return_dict=True).pooler_output
    except (ValueError, TypeError, RuntimeError, IndexError) as error:
        raise PolicyError(f"the model cannot read the processor's images: {first_line(error)} ({_ADVICE})") from error
    parts = made if isinstance(made, (list, tuple)) else [made]
    return sum(part.shape[:-1].numel() for part in parts)

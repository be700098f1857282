"""Does a vLLM server compute what this process computes? Its replies to one prompt are scored here, too.

Of servers that load adapters, the base is compared, once per process. All weights are compared whenever they are handed over,
since what a server does with them can differ: in vLLM 0.32 for CPUs a tied output layer keeps the old ones.

Equal prompts do not imply equal images: vLLM resizes them with torchvision, this project with Pillow. Log-probs of the same
replies reveal that, as well as another dtype or other weights. Measured with vLLM 0.32 and nano in float32, on images of 200x150
to 512x384: mean differences of at most 5e-6 where both use Pillow, and of at least 6e-4 where they do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean
from typing import Any, Protocol

import numpy as np
import torch
from PIL import Image

from vision_zero.config.endpoint import VllmConfig
from vision_zero.config.policy import SamplingParams
from vision_zero.errors import PolicyError
from vision_zero.policy.vllm import GenerationRequest, ServedReply, VllmModel
from vision_zero.randomness import Seed

REPLIES, LONGEST = 4, 32
"""How many replies are compared, and of how many tokens each at most."""
DIFFERENCE = {torch.float32: 1e-4}
HALF_PRECISION = 0.05
_compared: dict[VllmConfig, tuple[str, float]] = {}
"""The version of the weights that were compared last, and the difference."""


class Scorer(Protocol):
    """A policy of this process, with the weights that the server is said to have."""

    @property
    def model(self) -> Any:
        """The model itself."""

    @property
    def image_tokens(self) -> list[int]:
        """Image tokens, which are never sampled."""

    def log_probs(self, messages: list[dict[str, Any]], tokens: Sequence[int], temperature: float = 1.0) -> list[float]:
        """The log-probability of each token of a reply to a chat."""


def compare_scores(served: VllmModel, here: Scorer, asked: GenerationRequest) -> None:
    """Compare the log-probs of sampled replies on each server with those of this process.

    Done on the first prompt that is sent to these weights, with noise of the same size in the place of its image: nothing shows
    another resampling filter better.

    Args:
        served: the base, or all weights.

    Raises:
        PolicyError: the mean absolute difference is larger than ``config.largest_difference``.
    """
    config, version = served.config, served.version
    if config in _compared and _compared[config][0] == version:
        return
    seed = Seed(0).child("vllm", "check")
    one = replace(asked, messages=_of_noise(asked.messages, seed), allowed=(), count=REPLIES)
    servers = config.servers
    asked_of_each = served.replies(
        [one] * len(servers), SamplingParams(1.0, LONGEST), top_p=1.0, never=here.image_tokens, seed=seed.child("replies")
    )
    allowed = config.largest_difference
    if allowed is None:
        allowed = DIFFERENCE.get(next(here.model.parameters()).dtype, HALF_PRECISION)
    differences = []
    for server, replies in zip(servers, asked_of_each, strict=True):
        difference = difference_of(here, one, replies, 1.0)
        if difference > allowed:
            raise PolicyError(
                f"{server.url} scores replies to {asked.name} differently from this process: log-probs differ by "
                f"{difference:.2g} on average, and {allowed:g} is allowed (policy.server.largest_difference): serve the same "
                """weights and dtype, with --mm-processor-kwargs '{"use_fast": false}' for the same resizing of images"""
            )
        differences.append(difference)
    _compared[config] = version, max(differences)


def difference_of(here: Scorer, asked: GenerationRequest, replies: Sequence[ServedReply], temperature: float) -> float:
    """The mean absolute difference of the server's log-probs from those of this process."""
    return fmean(
        abs(ours - theirs)
        for reply in replies
        for ours, theirs in zip(here.log_probs(list(asked.messages), reply.tokens, temperature), reply.log_probs, strict=True)
    )


def measured_difference(config: VllmConfig) -> float | None:
    """The mean absolute difference that was measured last, of several servers the largest; None before the first request."""
    return _compared[config][1] if config in _compared else None


def _of_noise(messages: Sequence[dict[str, Any]], seed: Seed) -> list[dict[str, Any]]:
    """The chat with noise of the same size in the place of each image."""
    draws = np.random.default_rng(seed.integer())

    def noise(part: dict[str, Any]) -> dict[str, Any]:
        if part["type"] != "image":
            return part
        width, height = part["image"].size
        return {**part, "image": Image.fromarray(draws.integers(0, 256, (height, width, 3), dtype=np.uint8))}

    return [{**message, "content": [noise(part) for part in message["content"]]} for message in messages]

"""Does a vLLM server compute what this process computes? Replies of its base to one prompt are scored here, too.

Equal prompts do not imply equal images: vLLM resizes them with torchvision, this project with Pillow. Log-probs of the same
replies reveal that, as well as another dtype or other weights. Measured with vLLM 0.32 and nano in float32, on images of 200x150
to 512x384: mean differences of at most 5e-6 where both use Pillow, and of at least 6e-4 where they do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

from vision_zero.config.endpoint import VllmConfig
from vision_zero.config.policy import SamplingParams
from vision_zero.errors import PolicyError
from vision_zero.policy.vllm import GenerationRequest, ServedReply, VllmModel
from vision_zero.randomness import Seed

if TYPE_CHECKING:
    from vision_zero.policy.policy import Policy

REPLIES, LONGEST = 4, 32
"""How many replies are compared, and of how many tokens each at most."""
DIFFERENCE = {torch.float32: 1e-4}
HALF_PRECISION = 0.05
_compared: dict[VllmConfig, float] = {}


def compare_scores(config: VllmConfig, policy: Policy, asked: GenerationRequest) -> None:
    """Compare the log-probs of sampled replies of the base on each server with those of this process's base.

    Done once per process, on the first prompt that is sent, with noise of the same size in the place of its image: nothing shows
    another resampling filter better.

    Raises:
        PolicyError: the mean absolute difference is larger than ``config.largest_difference``.
    """
    if config in _compared:
        return
    seed = Seed(0).child("vllm", "check")
    one = replace(asked, messages=_of_noise(asked.messages, seed), allowed=(), count=REPLIES)
    servers = config.servers
    asked_of_each = VllmModel(config).replies(
        [one] * len(servers), SamplingParams(1.0, LONGEST), top_p=1.0, never=policy.picture_tokens, seed=seed.child("replies")
    )
    allowed = config.largest_difference
    if allowed is None:
        allowed = DIFFERENCE.get(next(policy.model.parameters()).dtype, HALF_PRECISION)
    differences = []
    for server, replies in zip(servers, asked_of_each, strict=True):
        difference = difference_of(policy, one, replies, 1.0)
        if difference > allowed:
            raise PolicyError(
                f"{server.url} scores replies to {asked.name} differently from this process: log-probs differ by "
                f"{difference:.2g} on average, and {allowed:g} is allowed (policy.server.largest_difference): serve the same "
                """weights and dtype, with --mm-processor-kwargs '{"use_fast": false}' for the same resizing of images"""
            )
        differences.append(difference)
    _compared[config] = max(differences)


def difference_of(policy: Policy, asked: GenerationRequest, replies: Sequence[ServedReply], temperature: float) -> float:
    """The mean absolute difference of the server's log-probs from those of this process's base."""
    base = replace(policy, as_base=True)
    return fmean(
        abs(ours - theirs)
        for reply in replies
        for ours, theirs in zip(base.log_probs(list(asked.messages), reply.tokens, temperature), reply.log_probs, strict=True)
    )


def measured_difference(config: VllmConfig) -> float | None:
    """The mean absolute difference that was measured, of several servers the largest; None before the first request."""
    return _compared.get(config)


def _of_noise(messages: Sequence[dict[str, Any]], seed: Seed) -> list[dict[str, Any]]:
    """The chat with noise of the same size in the place of each image."""
    draws = np.random.default_rng(seed.integer())

    def noise(part: dict[str, Any]) -> dict[str, Any]:
        if part["type"] != "image":
            return part
        width, height = part["image"].size
        return {**part, "image": Image.fromarray(draws.integers(0, 256, (height, width, 3), dtype=np.uint8))}

    return [{**message, "content": [noise(part) for part in message["content"]]} for message in messages]

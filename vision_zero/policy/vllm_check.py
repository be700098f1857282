"""Does a vLLM server compute what this process computes, and return the log-probs that it samples with?

Its replies to one prompt are scored here, too.

Of servers that load adapters, the base is compared, once per process. All weights are compared whenever they are handed over,
since what a server does with them can differ: in vLLM 0.32 for CPUs a tied output layer keeps the old ones.

Equal prompts do not imply equal images: vLLM resizes them with torchvision, this project with Pillow. Log-probs of the same
replies reveal that, as well as another dtype or other weights. Measured with vLLM 0.32 and nano in float32, on images of 200x150
to 512x384: mean differences of at most 5e-6 where both use Pillow, and of at least 6e-4 where they do not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

from vision_zero.config.endpoint import VllmConfig
from vision_zero.config.policy import SamplingParams
from vision_zero.errors import PolicyError
from vision_zero.policy.chats import user_message
from vision_zero.policy.prefill import unpadded
from vision_zero.policy.vllm import GenerationRequest, ServedReply, VllmModel
from vision_zero.randomness import Seed

if TYPE_CHECKING:
    from vision_zero.policy.policy import Policy

REPLIES, LONGEST = 4, 32
"""How many replies are compared, and of how many tokens each at most."""
DIFFERENCE = {torch.float32: 1e-4}
HALF_PRECISION = 0.05
TELLING = 2.0
"""A temperature at which log-probs differ much from those of temperature 1."""
SIDE = 112
"""Pixels of the image in the prompt that tells them apart."""
_compared: dict[VllmConfig, tuple[str, float]] = {}
"""The version of the weights that were compared last, and the difference."""
_checked: set[VllmConfig] = set()
"""Servers that return the log-probs that they sample with."""


def compare_scores(served: VllmModel, here: Policy, asked: GenerationRequest) -> None:
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
    allowed = config.largest_difference
    if allowed is None:
        allowed = DIFFERENCE.get(next(here.model.parameters()).dtype, HALF_PRECISION)
    differences = []
    for server, replies in _replies_of_each(served, one, 1.0, here.image_tokens, seed):
        difference = _difference(here, one, replies, 1.0)
        if difference > allowed:
            raise PolicyError(
                f"{server.url} scores replies to {asked.name} differently from this process: log-probs differ by "
                f"{difference:.2g} on average, and {allowed:g} is allowed (policy.server.largest_difference): serve the same "
                """weights and dtype, with --mm-processor-kwargs '{"use_fast": false}' for the same resizing of images"""
            )
        differences.append(difference)
    _compared[config] = version, max(differences)


def check_log_probs_mode(config: VllmConfig, policy: Policy) -> None:
    """Check that the servers return the log-probs of the distribution that they sample from, as importance sampling needs them.

    They do if they were started with ``--logprobs-mode processed_logprobs``. By default they return those of temperature 1,
    without the mask of image tokens; at temperature 1 both are the same, up to the probability of image tokens. So it is checked
    only where it makes a difference, once per process: replies that are sampled at a high temperature are scored by this process
    at that temperature and at 1, and the server's log-probs are nearer to the one or to the other, also in half precision.

    Raises:
        PolicyError: they are those of temperature 1, the policy samples at another one, and its update corrects for the server.
    """
    temperatures = {policy.sampling.of("clue").temperature, policy.sampling.of("vote").temperature}
    if config.importance_sampling is None or temperatures == {1.0} or config in _checked:
        return
    served, here = policy.comparable()
    seed = Seed(0).child("vllm", "log-probs")
    chat = _of_noise(user_message("What is this?", Image.new("RGB", (SIDE, SIDE))), seed)
    asked = GenerationRequest("the check of log-probs", chat, unpadded(policy.encode([chat]))[0], count=REPLIES)
    for server, replies in _replies_of_each(served, asked, TELLING, policy.image_tokens, seed):
        if _difference(here, asked, replies, TELLING) > _difference(here, asked, replies, 1.0):
            raise PolicyError(
                f"{server.url} returns log-probs of temperature 1 whatever it samples at, and importance sampling needs those "
                "that it samples with: start it with --logprobs-mode processed_logprobs, or set "
                "policy.server.importance_sampling null"
            )
    _checked.add(config)


def measured_difference(config: VllmConfig) -> float | None:
    """The mean absolute difference that was measured last, of several servers the largest; None before the first request."""
    return _compared[config][1] if config in _compared else None


def _replies_of_each(
    served: VllmModel, asked: GenerationRequest, temperature: float, never: Sequence[int], seed: Seed
) -> Iterator[tuple[VllmConfig, list[ServedReply]]]:
    """Each server, and its replies."""
    servers, params = served.config.servers, SamplingParams(temperature, LONGEST)
    replies = served.replies([asked] * len(servers), params, top_p=1.0, never=never, seed=seed.child("replies"))
    return zip(servers, replies, strict=True)


def _difference(here: Policy, asked: GenerationRequest, replies: Sequence[ServedReply], temperature: float) -> float:
    """The mean absolute difference of the server's log-probs from those of this process."""
    return fmean(
        abs(ours - theirs)
        for reply in replies
        for ours, theirs in zip(here.log_probs(list(asked.messages), reply.tokens, temperature), reply.log_probs, strict=True)
    )


def _of_noise(messages: Sequence[dict[str, Any]], seed: Seed) -> list[dict[str, Any]]:
    """The chat with noise of the same size in the place of each image."""
    draws = np.random.default_rng(seed.integer())

    def noise(part: dict[str, Any]) -> dict[str, Any]:
        if part["type"] != "image":
            return part
        width, height = part["image"].size
        return {**part, "image": Image.fromarray(draws.integers(0, 256, (height, width, 3), dtype=np.uint8))}

    return [{**message, "content": [noise(part) for part in message["content"]]} for message in messages]

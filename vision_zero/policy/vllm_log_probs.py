"""Does a vLLM server return the log-probs of the distribution that it samples from? Importance sampling needs them.

It does if it was started with ``--logprobs-mode processed_logprobs``. By default it returns those of temperature 1, without the
mask of image tokens. At temperature 1 both are the same, up to the probability of image tokens.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from vision_zero.config.endpoint import VllmConfig
from vision_zero.config.policy import SamplingParams
from vision_zero.errors import PolicyError
from vision_zero.policy.chats import user_message
from vision_zero.policy.policy import Policy, unpadded
from vision_zero.policy.vllm import GenerationRequest
from vision_zero.policy.vllm_check import LONGEST, REPLIES, difference_of
from vision_zero.randomness import Seed

TELLING = 2.0
"""A temperature at which log-probs differ much from those of temperature 1."""
SIDE = 112
"""Pixels of the image in the prompt."""
_checked: set[VllmConfig] = set()


def check_log_probs_mode(config: VllmConfig, policy: Policy) -> None:
    """Check it for a policy that is trained on the servers' replies, once per process, and only where it makes a difference.

    Replies that are sampled at a high temperature are scored by this process at that temperature and at 1: the server's log-probs
    are nearer to the one or to the other, also in half precision.

    Raises:
        PolicyError: they are those of temperature 1, the policy samples at another one, and its update corrects for the server.
    """
    temperatures = {policy.sampling.of("clue").temperature, policy.sampling.of("vote").temperature}
    if config.importance_sampling is None or temperatures == {1.0} or config in _checked:
        return
    served, here = policy.comparable()
    seed = Seed(0).child("vllm", "log-probs")
    pixels = np.random.default_rng(seed.integer()).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    chat = user_message("What is this?", Image.fromarray(pixels))
    asked = GenerationRequest("the check of log-probs", chat, unpadded(policy.encode([chat]))[0], count=REPLIES)
    servers = config.servers
    asked_of_each = served.replies(
        [asked] * len(servers),
        SamplingParams(TELLING, LONGEST),
        top_p=1.0,
        never=policy.image_tokens,
        seed=seed.child("replies"),
    )
    for server, replies in zip(servers, asked_of_each, strict=True):
        if difference_of(here, asked, replies, TELLING) > difference_of(here, asked, replies, 1.0):
            raise PolicyError(
                f"{server.url} returns log-probs of temperature 1 whatever it samples at, and importance sampling needs those "
                "that it samples with: start it with --logprobs-mode processed_logprobs, or set "
                "policy.server.importance_sampling null"
            )
    _checked.add(config)

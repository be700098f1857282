"""Answerers of benchmarks, made from settings: a local policy or an endpoint. A name stands for one set of weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vision_zero.config.policy import PolicyConfig, SamplingConfig
from vision_zero.config.suites import AnswererConfig, SamplingProtocol
from vision_zero.evaluation.benchmarks.endpoint import Endpoint
from vision_zero.evaluation.benchmarks.runner import Answerer
from vision_zero.evaluation.suite import Messages
from vision_zero.fingerprints import digest
from vision_zero.policy.base_models import base_fingerprint
from vision_zero.policy.loading import load_policy
from vision_zero.policy.policy import Policy
from vision_zero.randomness import Seed


@dataclass(frozen=True)
class PolicyAnswerer:
    """Satisfies :class:`vision_zero.evaluation.benchmarks.runner.Answerer`.

    Attributes:
        name: what the records call the policy; two policies need two names.
        max_tokens: longest reply.
        greedy: take the likeliest token; False samples with the policy's own settings.
    """

    policy: Policy
    name: str
    max_tokens: int = 1024
    greedy: bool = True

    def answer(self, prompts: Sequence[Messages], seed: Seed) -> list[str]:
        """One reply for each chat, in order."""
        policy = replace(self.policy, greedy=self.greedy)
        return [completion.text for completion in policy.complete(prompts, self.max_tokens, seed)]


def open_answerer(config: AnswererConfig, sampling: SamplingProtocol, batch_size: int) -> Answerer:
    """The policy or endpoint, answering under the protocol.

    Raises:
        PolicyError: the base or the adapter cannot be loaded.
    """
    if config.endpoint is not None:
        asked = {"max_tokens": sampling.max_tokens, "temperature": sampling.temperature}
        return Endpoint(config.endpoint.model_copy(update=asked))
    settings = PolicyConfig(
        base=config.base,
        revision=config.revision,
        dtype=config.dtype,
        trust_remote_code=config.trust_remote_code,
        pictures=config.pictures,
        sampling=SamplingConfig(temperature=sampling.temperature or 1.0, batch_size=batch_size),
    )
    adapter = None if config.adapter is None else Path(config.adapter)
    policy = replace(load_policy(settings, adapter, device=config.device, is_merged=True), reply_prefix=config.reply_prefix)
    return PolicyAnswerer(policy, answerer_name(config), sampling.max_tokens, greedy=sampling.temperature == 0)


def answerer_name(config: AnswererConfig) -> str:
    """A name that no other answerer has: label, revision, a digest of settings that are not the defaults, and fingerprints of all
    files that it is loaded from. An endpoint is known by its model and address alone: what it serves cannot be looked at.
    """
    if config.endpoint is not None:
        return Endpoint(config.endpoint).name
    revision = [] if config.revision is None else [config.revision]
    usual = AnswererConfig()
    named = ("dtype", "trust_remote_code", "pictures", "reply_prefix")
    other = {name: value for name in named if (value := getattr(config, name)) != getattr(usual, name)}
    settings = [digest(repr(sorted(other.items(), key=str)))[:8]] if other else []
    prints = [base_fingerprint(config.base, config.revision)]
    if config.adapter is not None:
        prints.append(base_fingerprint(config.adapter))
    return "@".join([config.label, *revision, *settings, *prints])

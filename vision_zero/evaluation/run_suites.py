"""Running suites: all are opened first, then a policy or a model behind an endpoint answers them in order, with records from
which an interrupted run resumes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

import click

from vision_zero.config.policy import PolicyConfig, SamplingConfig
from vision_zero.config.suite_registry import SUITES
from vision_zero.config.suites import AnswererConfig, EvaluateConfig, SamplingProtocol, SuiteConfig, SuitesConfig
from vision_zero.errors import EvaluationError
from vision_zero.evaluation.benchmarks.endpoint import Endpoint, Judge
from vision_zero.evaluation.benchmarks.runner import Answerer, run_suite
from vision_zero.evaluation.suite import Messages, Suite
from vision_zero.evaluation.suite_answers import AnsweredSuites, Answers, EvaluationProtocol
from vision_zero.fingerprints import digest
from vision_zero.policy.base_models import base_fingerprint
from vision_zero.policy.loading import load_policy
from vision_zero.policy.policy import Policy
from vision_zero.randomness import Seed


def open_suite(config: SuiteConfig) -> Suite:
    """The suite, loaded.

    Raises:
        EvaluationError: its source cannot be read, its package is not installed, or it has no items.
    """
    module = import_module(f"vision_zero.evaluation.{SUITES[config.name].module}")
    suite: Suite = module.open_suite(config)
    if not len(suite):
        raise EvaluationError(f"{config.source or config.name} holds no questions")
    return suite


def open_suites(config: SuitesConfig) -> list[Suite]:
    """All of them before the first question: a source that is not there should not be found out after an hour.

    Raises:
        EvaluationError: one cannot be opened.
    """
    return [open_suite(suite) for suite in config.suites]


def answer_suites(config: EvaluateConfig, who: AnswererConfig | None, opened: Sequence[Suite] | None = None) -> AnsweredSuites:
    """Let a policy answer all suites, or nobody; what its records in ``config.folder`` hold already is not asked again.

    Args:
        opened: the suites of ``config`` where they are open already.

    Raises:
        EvaluationError: a suite cannot be opened, or the records there were made under another protocol.
        PolicyError: the policy cannot be loaded.
    """
    if who is None:
        return AnsweredSuites(())
    opened = open_suites(config) if opened is None else opened
    answerer = open_answerer(who, config.sampling, config.batch_size)
    pairs = zip(config.suites, opened, strict=True)
    return AnsweredSuites(tuple(_answer(config, settings, suite, answerer) for settings, suite in pairs))


def records_path(folder: Path, suite: str, answerer: str) -> Path:
    """Where the records of a policy on a suite are kept."""
    return folder / suite / f"{re.sub(r'[^A-Za-z0-9._@+-]+', '_', answerer)}.jsonl"


def _answer(config: EvaluateConfig, settings: SuiteConfig, suite: Suite, answerer: Answerer) -> Answers:
    path = records_path(Path(config.folder), suite.name, answerer.name)
    protocol = EvaluationProtocol.of(config, settings, suite)
    protocol.hold(path.with_suffix(".protocol.json"))
    total = len(suite) if config.limit is None else min(config.limit, len(suite))
    with click.progressbar(length=total, label=f"{suite.name}: {answerer.name}", show_pos=True) as bar:
        records = run_suite(
            suite,
            answerer,
            path,
            limit=config.limit,
            batch_size=config.batch_size,
            seed=Seed(config.sampling.seed).child(suite.name),
            extractor=None if config.judge is None else Judge(config.judge),
            progress=lambda done: bar.update(done - bar.pos),
        )
        bar.update(total - bar.pos)
    return Answers(protocol, answerer.name, records)


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

"""Running suites: all are opened first, then run in order, with records from which an interrupted run resumes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import click

from vision_zero.config.suite_registry import SUITES
from vision_zero.config.suites import AnswererConfig, EvaluateConfig, SuiteConfig, SuitesConfig
from vision_zero.errors import EvaluationError
from vision_zero.evaluation.answerers import open_answerer
from vision_zero.evaluation.benchmarks.judge import Judge
from vision_zero.evaluation.benchmarks.runner import Answerer, Progress, run_suite
from vision_zero.evaluation.protocol import EvaluationProtocol
from vision_zero.evaluation.suite import Suite
from vision_zero.evaluation.suite_answers import AnsweredSuites, Answers
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

        def show(progress: Progress) -> None:
            bar.update(progress.done - bar.pos)

        records = run_suite(
            suite,
            answerer,
            path,
            limit=config.limit,
            batch_size=config.batch_size,
            seed=Seed(config.sampling.seed).child(suite.name),
            extractor=None if config.judge is None else Judge(config.judge),
            progress=show,
        )
        bar.update(total - bar.pos)
    return Answers(protocol, answerer.name, records)

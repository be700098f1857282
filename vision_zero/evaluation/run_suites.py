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
from vision_zero.evaluation.benchmarks.benchmark import Benchmark
from vision_zero.evaluation.benchmarks.judge import Judge
from vision_zero.evaluation.benchmarks.runner import Answerer, Progress, run_benchmark
from vision_zero.evaluation.protocol import EvaluationProtocol
from vision_zero.evaluation.suite_answers import AnsweredSuites, Answers
from vision_zero.randomness import Seed


def open_suite(config: SuiteConfig) -> Benchmark:
    """The suite, loaded.

    Raises:
        EvaluationError: its source cannot be read, its package is not installed, or it has no items.
    """
    module = import_module(f"vision_zero.evaluation.{SUITES[config.name].module}")
    benchmark: Benchmark = module.open_suite(config)
    if not len(benchmark):
        raise EvaluationError(f"{config.source or config.name} holds no questions")
    return benchmark


def open_suites(config: SuitesConfig) -> list[Benchmark]:
    """All of them before the first question: a source that is not there should not be found out after an hour.

    Raises:
        EvaluationError: one cannot be opened.
    """
    return [open_suite(suite) for suite in config.suites]


def answer_suites(
    config: EvaluateConfig, who: AnswererConfig | None, benchmarks: Sequence[Benchmark] | None = None
) -> AnsweredSuites:
    """Let a policy answer all suites, or nobody; what its records in ``config.folder`` hold already is not asked again.

    Args:
        benchmarks: the suites of ``config`` where they are open already.

    Raises:
        EvaluationError: a suite cannot be opened, or the records there were made under another protocol.
        PolicyError: the policy cannot be loaded.
    """
    if who is None:
        return AnsweredSuites(())
    benchmarks = open_suites(config) if benchmarks is None else benchmarks
    answerer = open_answerer(who, config.sampling, config.batch_size)
    pairs = zip(config.suites, benchmarks, strict=True)
    return AnsweredSuites(tuple(_answer(config, suite, benchmark, answerer) for suite, benchmark in pairs))


def records_path(folder: Path, suite: str, answerer: str) -> Path:
    """Where the records of a policy on a suite are kept."""
    return folder / suite / f"{re.sub(r'[^A-Za-z0-9._@+-]+', '_', answerer)}.jsonl"


def _answer(config: EvaluateConfig, suite: SuiteConfig, benchmark: Benchmark, answerer: Answerer) -> Answers:
    path = records_path(Path(config.folder), benchmark.name, answerer.name)
    protocol = EvaluationProtocol.of(config, suite, benchmark)
    protocol.hold(path.with_suffix(".protocol.json"))
    total = len(benchmark) if config.limit is None else min(config.limit, len(benchmark))
    with click.progressbar(length=total, label=f"{benchmark.name}: {answerer.name}", show_pos=True) as bar:

        def show(progress: Progress) -> None:
            bar.update(progress.done - bar.pos)

        records = run_benchmark(
            benchmark,
            answerer,
            path,
            limit=config.limit,
            batch_size=config.batch_size,
            seed=Seed(config.sampling.seed).child(benchmark.name),
            extractor=None if config.judge is None else Judge(config.judge),
            progress=show,
        )
        bar.update(total - bar.pos)
    return Answers(protocol, answerer.name, records)

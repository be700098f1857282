"""Running suites: all are opened first, then run in order, with records from which an interrupted run resumes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import click

from vision_zero.config.suites import AnswererConfig, EvaluateConfig, Look, SuiteConfig, SuitesConfig
from vision_zero.errors import EvaluationError
from vision_zero.evaluation.answerers import open_answerer
from vision_zero.evaluation.benchmarks.benchmark import Benchmark
from vision_zero.evaluation.benchmarks.chartqa import HUB as CHARTQA_HUB
from vision_zero.evaluation.benchmarks.chartqa import SUFFIX, ChartQA
from vision_zero.evaluation.benchmarks.judge import Judge
from vision_zero.evaluation.benchmarks.mathvista import HUB as MATHVISTA_HUB
from vision_zero.evaluation.benchmarks.mathvista import MathVista
from vision_zero.evaluation.benchmarks.runner import Answerer, Progress, run_benchmark
from vision_zero.evaluation.protocol import EvaluationProtocol
from vision_zero.evaluation.suite_answers import AnsweredSuites, Answers
from vision_zero.evaluation.suites.charts import chart_suite
from vision_zero.evaluation.suites.differences import difference_suite
from vision_zero.evaluation.suites.easy_vqa import EasyVqa
from vision_zero.evaluation.suites.odd_one_out import odd_suite
from vision_zero.evaluation.suites.procedural import ProceduralSuite
from vision_zero.evaluation.suites.scenes import scene_suite
from vision_zero.randomness import Seed

_PROCEDURAL: Mapping[str, Callable[[Look, int], ProceduralSuite]] = {
    "scenes": scene_suite,
    "charts": chart_suite,
    "differences": difference_suite,
    "odd_one_out": odd_suite,
}


def open_suite(config: SuiteConfig) -> Benchmark:
    """The suite, loaded.

    Raises:
        EvaluationError: its source cannot be read, its package is not installed, or it has no items.
    """
    benchmark: Benchmark
    if config.name == "easy_vqa":
        benchmark = EasyVqa.load(config.items, SUFFIX if config.look == "full" else "")
    elif config.name == "chartqa":
        benchmark = ChartQA.load(config.source or CHARTQA_HUB, config.split or "test", config.revision, config.options)
    elif config.name == "mathvista":
        benchmark = MathVista.load(config.source or MATHVISTA_HUB, config.split or "testmini", config.revision, config.options)
    else:
        benchmark = _PROCEDURAL[config.name](config.look, config.items)
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

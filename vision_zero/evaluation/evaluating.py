"""Whole evaluations: ``vision-zero evaluate`` with everything that it leaves on disk, and the suites of a self-play run.

DIR/records/<suite>/<policy>.jsonl      one line an item, written as it is answered; an interrupted run goes on from here
DIR/predictions/<suite>/<policy>.parquet and .jsonl
DIR/exports/vlmevalkit, DIR/exports/lmms_eval
DIR/scores.json, DIR/page.html
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.config.suites import AnswererConfig, EvaluateConfig, SuitesConfig
from vision_zero.errors import EvaluationError
from vision_zero.evaluation.answering import answer_suites, open_suites, records_path
from vision_zero.evaluation.answers import Answers
from vision_zero.evaluation.benchmarks.benchmark import Benchmark
from vision_zero.evaluation.benchmarks.exporters import export_lmms_eval, export_vlmevalkit
from vision_zero.evaluation.benchmarks.extraction.answer import VERSION
from vision_zero.evaluation.benchmarks.files import write_atomically
from vision_zero.evaluation.benchmarks.records import write_jsonl, write_parquet
from vision_zero.evaluation.comparison import why_blocked
from vision_zero.evaluation.scorecard import Scorecard
from vision_zero.evaluation.scoring import score_answers
from vision_zero.fingerprints import digest
from vision_zero.policy.folder import PolicyFolder
from vision_zero.report.evaluation import evaluation_page

STAMP = "00000000_000000"
"""In the place of the time in lmms-eval's file names: results hold no wall clock."""


def evaluate_into(folder: Path, config: EvaluateConfig) -> Scorecard:
    """Answer, score, compare and write.

    Raises:
        EvaluationError: a suite cannot be opened, or the folder has records made under another protocol.
        PolicyError: a policy cannot be loaded.
    """
    config = config.model_copy(update={"folder": str(folder / "records")})
    policy = answer_suites(config, config.policy)
    base = answer_suites(config, config.compared_with)
    scorecard = score_answers(config, policy, base)
    for answers in (*policy.suites, *base.suites):
        write_predictions(answers, folder)
    write_atomically(folder / "scores.json", scorecard.model_dump_json(indent=1))
    write_atomically(folder / "page.html", evaluation_page(scorecard))
    return scorecard


def evaluate_trained(config: SelfPlayConfig, policy: PolicyFolder) -> Scorecard:
    """A self-play run's policy beside its base on the suites of its recipe, and what the gate says.

    Answers are kept in ``runs/suites/<protocol and items>``, so that the base answers each suite once, not once a run.

    Raises:
        EvaluationError: a suite cannot be opened, or its records there were made under another protocol.
    """
    asked, player = config.benchmarks, config.policy
    if not asked.suites:
        return Scorecard(policy=player.base, base=None, suites=(), blocked=why_blocked([], asked.gate))
    benchmarks = open_suites(asked)
    base = AnswererConfig(
        **{name: getattr(player, name) for name in ("base", "revision", "dtype", "trust_remote_code", "pictures")}
    )
    trained = base.model_copy(update={"adapter": None if policy.path is None else str(policy.path)})
    whole = EvaluateConfig(
        **{name: getattr(asked, name) for name in SuitesConfig.model_fields},
        policy=trained,
        base=base,
        folder=str(Path(config.runs_folder) / "suites" / _fingerprint(asked, benchmarks)),
    )
    ours, theirs = (answer_suites(whole, who, benchmarks) for who in (whole.policy, whole.compared_with))
    return score_answers(whole, ours, theirs)


def _fingerprint(asked: SuitesConfig, benchmarks: Sequence[Benchmark]) -> str:
    """Names the folder of answers: another protocol, other rules or other items get another folder."""
    how = asked.model_dump_json(include={"suites", "sampling", "limit", "judge"})
    items = [_item(benchmark, number) for benchmark in benchmarks for number in range(len(benchmark))[: asked.limit]]
    return digest(how, VERSION, *(f"{benchmark.name} {benchmark.version}" for benchmark in benchmarks), *items)[:12]


def _item(benchmark: Benchmark, number: int) -> str:
    try:
        return benchmark.digest(number)
    except EvaluationError:  # its picture is missing: it is recorded as a fault when it is asked
        return ""


def write_predictions(answers: Answers, folder: Path) -> None:
    """The records as a table and as lines, and in the formats of VLMEvalKit and lmms-eval."""
    path = records_path(folder / "predictions", answers.protocol.suite, answers.answerer)
    write_jsonl(answers.records, path)
    write_parquet(answers.records, path.with_suffix(".parquet"))
    export_vlmevalkit(answers.records, folder / "exports" / "vlmevalkit", answers.answerer)
    # One results file a suite: lmms-eval itself writes one a call.
    export_lmms_eval(answers.records, folder / "exports" / "lmms_eval" / answers.protocol.suite, answers.answerer, STAMP)

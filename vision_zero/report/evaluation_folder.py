"""The folder that ``vision-zero evaluate`` writes.

DIR/records/<suite>/<policy>.jsonl      one line per item, written as it is answered; an interrupted run resumes from it
DIR/predictions/<suite>/<policy>.parquet and .jsonl
DIR/exports/vlmevalkit, DIR/exports/lmms_eval
DIR/scores.json, DIR/page.html
"""

from __future__ import annotations

from pathlib import Path

from vision_zero.config.suites import EvaluateConfig
from vision_zero.evaluation.benchmarks.exporters import export_lmms_eval, export_vlmevalkit
from vision_zero.evaluation.benchmarks.json_files import write_atomically
from vision_zero.evaluation.benchmarks.records import write_jsonl, write_parquet
from vision_zero.evaluation.run_suites import answer_suites, records_path
from vision_zero.evaluation.score_suites import score_answers
from vision_zero.evaluation.scorecard import Scorecard
from vision_zero.evaluation.suite_answers import Answers
from vision_zero.report.pages import render_page

STAMP = "00000000_000000"
"""Replaces the time in lmms-eval's file names, since results contain no wall-clock time."""


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
    write_atomically(folder / "page.html", render_page("evaluation.html.j2", card=scorecard))
    return scorecard


def write_predictions(answers: Answers, folder: Path) -> None:
    """The records as a table and as lines, and in the formats of VLMEvalKit and lmms-eval."""
    path = records_path(folder / "predictions", answers.protocol.suite, answers.answerer)
    write_jsonl(answers.records, path)
    write_parquet(answers.records, path.with_suffix(".parquet"))
    export_vlmevalkit(answers.records, folder / "exports" / "vlmevalkit", answers.answerer)
    # One results file per suite; lmms-eval writes one per call.
    export_lmms_eval(answers.records, folder / "exports" / "lmms_eval" / answers.protocol.suite, answers.answerer, STAMP)

"""Answers of a policy to suites: all records as JSON lines and parquet, and their protocols."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from materializers.files import FileMaterializer
from vision_zero.evaluation.benchmarks.records import write_parquet
from vision_zero.evaluation.suite import Record, scores_of
from vision_zero.evaluation.suite_answers import AnsweredSuites, Answers, EvaluationProtocol
from vision_zero.fingerprints import digest

TABLE, LINES, PROTOCOLS = "answers.parquet", "answers.jsonl", "protocols.json"


class AnswersMaterializer(FileMaterializer):
    """The JSON lines are loaded again; the parquet file is for other tools."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (AnsweredSuites,)
    NEEDED: ClassVar[tuple[str, ...]] = (LINES, PROTOCOLS)

    def save(self, data: AnsweredSuites) -> None:
        records = [record for answers in data.suites for record in answers.records]
        self._write_file(TABLE, lambda path: write_parquet(records, path))
        self._write_text(LINES, "".join(f"{record.model_dump_json()}\n" for record in records))
        protocols = [
            {"answerer": answers.answerer, "protocol": answers.protocol.model_dump(mode="json"), "records": len(answers.records)}
            for answers in data.suites
        ]
        self._write_text(PROTOCOLS, json.dumps(protocols, indent=1))

    def load(self, data_type: type[Any]) -> AnsweredSuites:
        records = self._parsed(LINES, lambda text: [Record.model_validate_json(line) for line in text.split("\n") if line])
        suites = []
        for entry in self._parsed(PROTOCOLS, json.loads):
            protocol = EvaluationProtocol.model_validate(entry["protocol"])
            own, records = records[: entry["records"]], records[entry["records"] :]
            suites.append(Answers(protocol, entry["answerer"], own))
        return AnsweredSuites(tuple(suites))

    def extract_metadata(self, data: AnsweredSuites) -> dict[str, Any]:
        found = {answers.protocol.suite: scores_of(answers.protocol.suite, answers.records) for answers in data.suites}
        return {
            name: {"answered": scores.overall.total, "accuracy": round(scores.overall.accuracy, 4)}
            for name, scores in found.items()
            if scores.overall is not None
        }

    def compute_content_hash(self, data: AnsweredSuites) -> str:
        return digest(*(record.model_dump_json().encode() for answers in data.suites for record in answers.records))

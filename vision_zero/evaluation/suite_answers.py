"""Answers to suites, and the protocol under which they were given: it is stored with every score, and two scores are compared
only under the same one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from vision_zero.config.suites import EvaluateConfig, SamplingProtocol, SuiteConfig
from vision_zero.config_base import Config
from vision_zero.errors import EvaluationError
from vision_zero.evaluation.benchmarks.extraction.answer import VERSION
from vision_zero.evaluation.benchmarks.json_files import write_atomically
from vision_zero.evaluation.suite import Record, Suite


class EvaluationProtocol(Config):
    """The conditions.

    Attributes:
        suite: its name, and ``settings`` what it was opened with but for the number of items.
        version: of the suite's items, prompts and rules.
        extractor: version of the rules that read answers out of replies.
        judge: the model that reads what the rules cannot; None: rules alone.
        prompt: the first item's text, to show how questions are put; every record has its own.
    """

    suite: str
    version: str
    settings: SuiteConfig
    extractor: str
    judge: str | None
    sampling: SamplingProtocol
    prompt: str

    @classmethod
    def of(cls, config: EvaluateConfig, settings: SuiteConfig, suite: Suite) -> EvaluationProtocol:
        return cls(
            suite=suite.name,
            version=suite.version,
            # More items begin with the same ones: a run may be extended.
            settings=settings.model_copy(update={"items": 1}),
            extractor=VERSION,
            judge=None if config.judge is None else config.judge.endpoint.model,
            sampling=config.sampling,
            prompt=suite.prompt(0),
        )

    def differences(self, other: EvaluationProtocol) -> list[str]:
        """The names of the conditions in which two protocols differ."""
        return [name for name in type(self).model_fields if getattr(self, name) != getattr(other, name)]

    def hold(self, path: Path) -> None:
        """Write the protocol beside a file of records, or see that these were made under it.

        Raises:
            EvaluationError: they were made under another one.
        """
        if not path.exists():
            write_atomically(path, self.model_dump_json(indent=1))
            return
        try:
            before = type(self).model_validate_json(path.read_text(encoding="utf-8"))
        except (OSError, ValidationError, UnicodeDecodeError) as error:
            raise EvaluationError(f"{path} is no protocol of this version: remove it and the records beside it") from error
        if found := self.differences(before):
            raise EvaluationError(
                f"the records beside {path} were made under another {', '.join(found)}: give another folder, or remove them"
            )


@dataclass(frozen=True)
class Answers:
    """One policy's records of one suite, in the suite's order, and under what conditions they came about."""

    protocol: EvaluationProtocol
    answerer: str
    records: Sequence[Record]


@dataclass(frozen=True)
class AnsweredSuites:
    """One policy's answers to all suites of an evaluation; none where nobody was to be asked."""

    suites: Sequence[Answers]

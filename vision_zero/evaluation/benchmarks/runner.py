"""Running a suite: in a fixed order, in batches, with a record of every item, resumable after a kill."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from vision_zero.errors import EvaluationError
from vision_zero.evaluation.benchmarks.records import appending, read_records
from vision_zero.evaluation.suite import Extractor, Item, Messages, Record, Suite, Verdict
from vision_zero.randomness import Seed

_LOGGER = logging.getLogger(__name__)


class Answerer(Protocol):
    """Whoever answers: a policy, or a model behind an endpoint. ``name`` goes into the records; it must stay on resuming."""

    @property
    def name(self) -> str: ...

    def answer(self, prompts: Sequence[Messages], seed: Seed) -> list[str]:
        """One reply for each chat, in order. Greedy answerers do not use the seed."""
        ...


def run_suite(
    suite: Suite,
    answerer: Answerer,
    records_path: Path,
    *,
    limit: int | None = None,
    batch_size: int = 16,
    seed: Seed | None = None,
    extractor: Extractor | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[Record]:
    """Answer and score the first ``limit`` items, or all; items that ``records_path`` already has are not asked again.

    An item whose image or right answer is another one than when it was answered is asked again, and its new record counts.

    Args:
        seed: of answerers that sample: a batch draws from the child of its first item's key. Greedy ones do not depend on it.
        extractor: reads answers instead of, or after, the rules.
        progress: called after every batch with the number of items that have a record.

    Returns:
        The records of these items in the suite's order, old and new. An item whose image cannot be read gets one with the
        fault, which is not kept in the file: the item is asked when the run is resumed with the image in its place.

    Raises:
        EvaluationError: the file has records of another suite, answerer or prompt; no item has a readable image; or the
            answerer gives another number of replies than it was asked for.
    """
    if batch_size < 1 or (limit is not None and limit < 1):
        raise EvaluationError("batch_size and limit must be at least 1")
    numbers = range(len(suite) if limit is None else min(limit, len(suite)))
    keys = [suite.key(number) for number in numbers]
    with appending(records_path) as append:
        records = {record.key: record for record in read_records(records_path)}
        known = {key: suite.prompt(number) for number, key in zip(numbers, keys, strict=True) if key in records}
        _check(records.values(), suite, answerer, known, records_path)
        changed = {keys[number] for number in numbers if keys[number] in records and _is_another(suite, number, records)}
        if changed:
            _LOGGER.warning("%s: %d items are asked again: their image or right answer changed", records_path, len(changed))
        missing = [number for number in numbers if keys[number] not in records or keys[number] in changed]
        faults: dict[str, Record] = {}
        for start in range(0, len(missing), batch_size):
            items, faulty = _items(suite, missing[start : start + batch_size], answerer)
            faults.update(faulty)
            append(made := _answered(suite, answerer, items, seed or Seed(0), extractor))
            records.update({record.key: record for record in made})
            if progress is not None:
                progress(sum(key in records or key in faults for key in keys))
    if faults and len(faults) == len(keys):
        raise EvaluationError(f"no item of {suite.name} can be asked: {faults[keys[0]].fault}")
    records |= faults
    return [records[key] for key in keys]


def _items(suite: Suite, numbers: Sequence[int], answerer: Answerer) -> tuple[dict[int, Item], dict[str, Record]]:
    """The items of these numbers, by number, and a record by key of those that cannot be asked."""
    items: dict[int, Item] = {}
    faults: dict[str, Record] = {}
    for number in numbers:
        try:
            items[number] = suite.item(number)
        except EvaluationError as error:
            key, fault = suite.key(number), Verdict.of_fault(str(error))
            faults[key] = Record.of(fault, suite.name, answerer.name, key, suite.prompt(number), "")
    return items, faults


def _answered(
    suite: Suite, answerer: Answerer, items: Mapping[int, Item], seed: Seed, extractor: Extractor | None
) -> list[Record]:
    """The records of a batch."""
    if not items:
        return []
    first = next(iter(items.values()))
    replies = answerer.answer([item.messages() for item in items.values()], seed.child("benchmark", first.key))
    if len(replies) != len(items):
        raise EvaluationError(f"{answerer.name} gave {len(replies)} replies to {len(items)} questions")
    records = []
    for (number, item), reply in zip(items.items(), replies, strict=True):
        verdict, asked = suite.verdict(number, reply, extractor), suite.digest(number)
        records.append(Record.of(verdict, suite.name, answerer.name, item.key, item.prompt, reply, asked))
    return records


def _is_another(suite: Suite, number: int, records: Mapping[str, Record]) -> bool:
    """Is the item another one than when its record was made? One that cannot be read any more is."""
    try:
        return suite.digest(number) != records[suite.key(number)].asked
    except EvaluationError:
        return True


def _check(records: Iterable[Record], suite: Suite, answerer: Answerer, prompts: Mapping[str, str], path: Path) -> None:
    """Refuse to go on with another run's records: their mean would be of two different things."""
    for record in records:
        if (record.benchmark, record.answerer) != (suite.name, answerer.name):
            raise EvaluationError(
                f"{path} holds answers of {record.answerer} to {record.benchmark}, not of {answerer.name} to {suite.name}: "
                "give another file"
            )
        if prompts.get(record.key, record.prompt) != record.prompt:
            raise EvaluationError(f"{path}: item {record.key} was asked with another prompt; give another file")

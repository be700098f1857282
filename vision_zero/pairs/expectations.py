"""The verdict over a pairs table: Great Expectations judges the measurements, failing pairs are quarantined by id.

Import this inside a step: Great Expectations takes seconds to load.
"""

from __future__ import annotations

import logging
import os

import pandas as pd

from vision_zero.config.pairs import QualityConfig
from vision_zero.errors import PairsError
from vision_zero.pairs.quality import measure_table
from vision_zero.pairs.table import PairTable
from vision_zero.pairs.verdict import Expectation, Quarantined, Verdict

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
# Before the import: Great Expectations logs its configuration while it loads.
logging.getLogger("great_expectations").setLevel(logging.WARNING)

import great_expectations as gx  # noqa: E402
import great_expectations.expectations as gxe  # noqa: E402
from great_expectations.data_context.types.base import ProgressBarsConfig  # noqa: E402


def judge(table: PairTable, config: QualityConfig) -> Verdict:
    """Check a table against every expectation.

    Raises:
        PairsError: the table is empty, or more than ``max_quarantined`` of its pairs fail.
    """
    if not len(table):
        raise PairsError("the pairs table is empty: ask the sources for at least one pair")
    frame = measure_table(table, config)
    rules = _rules(config)
    result = _batch(frame).validate(
        gx.ExpectationSuite(name="pairs", expectations=[rule for _, rule in rules]),
        result_format={"result_format": "COMPLETE", "unexpected_index_column_names": ["pair_id"]},
    )
    named = {(_key(rule.expectation_type, rule.configuration.kwargs)): name for name, rule in rules}
    reasons: dict[str, list[str]] = {}
    expectations = []
    for outcome in result.results:
        settings = outcome.expectation_config
        name = named[_key(settings.type, settings.kwargs)]
        failing = [entry["pair_id"] for entry in outcome.result.get("unexpected_index_list") or ()]
        for pair_id in failing:
            reasons.setdefault(pair_id, []).append(name)
        expectations.append(Expectation(rule=name, broken_by=len(failing), holds=bool(outcome.success)))
    return _verdict(frame, tuple(expectations), reasons, config)


def _rules(config: QualityConfig) -> list[tuple[str, gxe.Expectation]]:
    """Every rule with the words that a person reads."""
    return [
        ("has an id of its own", gxe.ExpectColumnValuesToBeUnique(column="pair_id")),
        ("belongs to a known split", gxe.ExpectColumnValuesToBeInSet(column="split", value_set=["train", "held_out"])),
        ("both pictures can be read", gxe.ExpectColumnValuesToBeInSet(column="readable", value_set=[True])),
        ("both pictures have one size", gxe.ExpectColumnValuesToBeInSet(column="same_size", value_set=[True])),
        (
            f"changed area from {config.min_changed_area:.1%} to {config.max_changed_area:.0%}",
            gxe.ExpectColumnValuesToBeBetween(
                column="changed_area", min_value=config.min_changed_area, max_value=config.max_changed_area
            ),
        ),
        (
            f"structural similarity from {config.min_similarity} to {config.max_similarity}",
            gxe.ExpectColumnValuesToBeBetween(
                column="similarity", min_value=config.min_similarity, max_value=config.max_similarity
            ),
        ),
        (
            f"{config.min_changes} to {config.max_changes} logged changes",
            gxe.ExpectColumnValuesToBeBetween(column="changes", min_value=config.min_changes, max_value=config.max_changes),
        ),
        ("repeats no earlier pair", gxe.ExpectColumnValuesToBeNull(column="duplicate_of")),
        ("is not in the held-out split", gxe.ExpectColumnValuesToBeNull(column="leaks_from")),
    ]


def _batch(frame: pd.DataFrame) -> gx.datasource.fluent.interfaces.Batch:
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("pairs").add_dataframe_asset("measurements")
    return asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})


def _key(kind: str, settings: dict[str, object]) -> tuple[str, object]:
    return kind, settings["column"]


def _verdict(
    frame: pd.DataFrame, expectations: tuple[Expectation, ...], reasons: dict[str, list[str]], config: QualityConfig
) -> Verdict:
    trouble = dict(zip(frame["pair_id"], frame["trouble"], strict=True))
    quarantined = tuple(
        Quarantined(pair_id=pair_id, reasons=tuple([trouble[pair_id]] if trouble[pair_id] else broken))
        for pair_id, broken in reasons.items()
    )
    passed = frame[~frame["pair_id"].isin(reasons)]
    by_reason: dict[str, int] = {}
    for broken in reasons.values():
        by_reason[broken[0]] = by_reason.get(broken[0], 0) + 1
    share = 1 - len(passed) / len(frame)
    if share > config.max_quarantined:
        common = max(by_reason, key=lambda reason: by_reason[reason])
        raise PairsError(
            f"{share:.0%} of {len(frame)} pairs failed validation, more than the {config.max_quarantined:.0%} allowed; "
            f"most often they broke “{common}” ({by_reason[common]}): mend the source or the bounds under pairs.quality"
        )
    return Verdict(
        checked=len(frame),
        passed=len(passed),
        expectations=expectations,
        quarantined=quarantined,
        worst=tuple(passed.nsmallest(4, "changed_area")["pair_id"]),
        mean_changed_area=float(passed["changed_area"].mean()),
        mean_similarity=float(passed["similarity"].mean()),
        reasons=by_reason,
    )

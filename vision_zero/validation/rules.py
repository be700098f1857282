"""The expectations of a pairs table, with the words that a person reads.

The one module that imports Great Expectations, and that reaches beyond its public interface:
``tests/validation/test_gx_contract.py`` holds what is relied on. Import this inside a step: Great Expectations takes seconds to
load.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from vision_zero.domains.pair_rules import PairRule
from vision_zero.domains.quality_thresholds import QualityThresholds
from vision_zero.domains.registry import domain_of
from vision_zero.validation.verdict import Expectation

# Read at import: nothing is sent anywhere.
os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
# Before the import: Great Expectations logs its configuration while it loads.
logging.getLogger("great_expectations").setLevel(logging.WARNING)

import great_expectations as gx  # noqa: E402
import great_expectations.expectations as gxe  # noqa: E402
from great_expectations.data_context.types.base import ProgressBarsConfig  # noqa: E402
from great_expectations.expectations.row_conditions import Column  # noqa: E402

# After the import: this module sets a level of its own, and would tell the user of a temporary folder.
logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.WARNING)


@dataclass(frozen=True)
class Rule:
    """An expectation of every pair, or of those of a domain.

    Attributes:
        told_as: words for what was measured, a share of the image, beside the reasons of a pair that breaks it.
    """

    words: str
    expectation: gxe.Expectation
    told_as: str = ""

    @property
    def column(self) -> str:
        """What is measured."""
        return str(self.expectation.configuration.kwargs["column"])


def pair_rules(config: QualityThresholds, domains: Sequence[str]) -> list[Rule]:
    """The rules that each pair of those domains must keep."""
    rules = [
        Rule("has an id of its own", gxe.ExpectColumnValuesToBeUnique(column="pair_id")),
        Rule("belongs to a known split", gxe.ExpectColumnValuesToBeInSet(column="split", value_set=["train", "held_out"])),
        Rule("both images can be read", gxe.ExpectColumnValuesToBeInSet(column="readable", value_set=[True])),
        Rule("both images have one size", gxe.ExpectColumnValuesToBeInSet(column="same_size", value_set=[True])),
        Rule(
            f"{config.min_changes} to {config.max_changes} logged changes",
            gxe.ExpectColumnValuesToBeBetween(column="changes", min_value=config.min_changes, max_value=config.max_changes),
        ),
        Rule(
            "every logged change can be seen in its box", gxe.ExpectColumnValuesToBeInSet(column="hidden_changes", value_set=[0])
        ),
        Rule("shows no other pair again", gxe.ExpectColumnValuesToBeNull(column="duplicate_of")),
        Rule("shares nothing with the held-out split", gxe.ExpectColumnValuesToBeNull(column="leaks_from")),
    ]
    return rules + [_of_domain(domain, rule) for domain in domains for rule in domain_of(domain).rules(config)]


def _of_domain(domain: str, rule: PairRule) -> Rule:
    only = {"row_condition": Column("domain") == domain}
    expectation = (
        gxe.ExpectColumnValuesToBeNull(column=rule.column, **only)
        if rule.least is None and rule.most is None
        else gxe.ExpectColumnValuesToBeBetween(column=rule.column, min_value=rule.least, max_value=rule.most, **only)
    )
    return Rule(f"{domain}: {rule.words}", expectation, rule.told_as)


def check(frame: pd.DataFrame, rules: Sequence[Rule]) -> tuple[list[Expectation], dict[str, list[str]]]:
    """Hold measurements against rules.

    Returns:
        What became of each rule, and the words of the rules that each failing pair broke, by its id.
    """
    missing = {rule.column: None for rule in rules if rule.column not in frame}  # no pair was readable enough
    for rule in rules:
        rule.expectation.meta = {"rule": rule.words}  # comes back with the outcome
    result = validate(frame.assign(**missing), [rule.expectation for rule in rules])
    reasons: dict[str, list[str]] = {}
    found = {}
    for outcome in result.results:
        words = outcome.expectation_config.meta["rule"]
        failing = [entry["pair_id"] for entry in outcome.result.get("unexpected_index_list") or ()]
        found[words] = Expectation(rule=words, broken_by=len(failing), holds=bool(outcome.success))
        for pair_id in failing:
            reasons.setdefault(pair_id, []).append(words)
    # Great Expectations answers in an order of its own; the first rule that a pair broke is the most telling one.
    order = {rule.words: place for place, rule in enumerate(rules)}
    return (
        [found[rule.words] for rule in rules],
        {pair_id: sorted(broken, key=order.__getitem__) for pair_id, broken in reasons.items()},
    )


def validate(frame: pd.DataFrame, expectations: Sequence[Any]) -> Any:
    """Great Expectations' result on a table in memory, without progress bars, with the ``pair_id`` of all failing rows.

    ``ProgressBarsConfig`` and ``context.variables`` are not documented: progress bars can otherwise be turned off only in a
    configuration file, which an ephemeral context does not have.
    """
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("pairs").add_dataframe_asset("measurements")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
    return batch.validate(
        gx.ExpectationSuite(name="pairs", expectations=list(expectations)),
        result_format={"result_format": "COMPLETE", "unexpected_index_column_names": ["pair_id"]},
    )

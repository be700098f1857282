"""Steps that make and judge image pairs. ``fingerprint`` is read by the step cache alone: see :mod:`steps.cache_policy`."""

import logging
import sys
from collections.abc import Sequence
from typing import Annotated, Any

from zenml import log_metadata, step

from steps.cache_policy import BY_CONTENT, CACHED_DOMAINS
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.data.table import PairTable
from vision_zero.training.state import StageState
from vision_zero.validation.verdict import Verdict

_LOGGER = logging.getLogger(__name__)


def summary(verdict: Verdict) -> dict[str, Any]:
    """What the dashboard shows of a verdict; what does not hold of all pairs together is a warning in the log."""
    for warning in verdict.warnings():
        _LOGGER.warning("pairs: %s", warning)
    for source in verdict.sources:
        _LOGGER.log(logging.WARNING if source.is_worth_a_warning else logging.INFO, "pairs: %s", source.headline())
        for line in source.details():
            _LOGGER.warning("pairs: %s: %s", source.domain, line)
    probed = {entry.domain: entry.probe.accuracy for entry in verdict.domains if entry.probe}
    counts = {"checked": verdict.checked, "passed": verdict.passed, "quarantined by reason": verdict.reasons}
    counts |= {
        f"{source.domain}: {source.things} skipped": {kind: len(names) for kind, names in source.reasons().items()}
        for source in verdict.sources
        if source.skipped
    }
    return {**counts, "told apart by a probe": probed} if probed else counts


@step(cache_policy=BY_CONTENT)
def make_pairs(
    domain: str, config: SelfPlayConfig, rounds: int, state: StageState, fingerprint: str | None = None
) -> Annotated[PairTable, "{domain}"]:
    """The pairs of one domain."""
    from vision_zero.pair_sets.build import build_pairs

    return build_pairs(domain, config, state.iteration, rounds * config.iterations_per_round, state.judged)


def make_all_pairs(config: SelfPlayConfig, rounds: int, state: StageState, fingerprints: Sequence[str]) -> list[PairTable]:
    """While a pipeline is compiled: a step for each domain that the mix gives a weight, which makes the artifact of its name.

    Args:
        fingerprints: of the cached domains, in their order.
    """
    prints = dict(zip(CACHED_DOMAINS, fingerprints, strict=True))
    return [
        make_pairs.with_options(enable_cache=domain.is_cached, substitutions={"domain": domain.name})(
            domain.name, config, rounds, state, prints.get(domain), id=domain.step
        )
        for domain in config.pairs.active
    ]


@step(cache_policy=BY_CONTENT)
def validate_pairs(
    config: SelfPlayConfig, made: list[PairTable], fingerprint: str
) -> tuple[
    Annotated[PairTable, "pairs"],
    Annotated[PairTable, "held_out"],
    Annotated[PairTable, "promotion_pairs"],
    Annotated[PairTable, "quarantined"],
    Annotated[Verdict, "verdict"],
]:
    """Judge all pairs; take the failing ones out, and apart the held-out ones and those that this run will be judged on."""
    from vision_zero.data.table import joined
    from vision_zero.pair_sets.build import corrupt
    from vision_zero.randomness import Seed
    from vision_zero.validation.expectations import judge
    from vision_zero.validation.verdict import quarantine

    table = joined(made)
    verdict = judge(table, config.pairs)
    pairs, quarantined = quarantine(table, verdict)
    pairs = corrupt(pairs, config.pairs.spoiled, Seed(config.seed).child("pairs", "spoiled"))
    log_metadata(summary(verdict))
    held_out = pairs.of_split("held_out")
    always = range(config.evaluation.pairs)
    own = range(always.stop, sys.maxsize)
    return pairs.of_split("train"), held_out.at_positions(always), held_out.at_positions(own), quarantined, verdict

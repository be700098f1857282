"""The pairs of a run that mixes domains: each made alone, at its positions, of things that only its split has."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.odd_images import scenery
from vision_zero.config.learning import LearningConfig
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.data.table import joined
from vision_zero.domains.registry import base_of
from vision_zero.pair_sets.build import build_pairs
from vision_zero.validation.expectations import judge

pytestmark = pytest.mark.slow

DOMAINS = ("charts", "photos", "imported")


def config_of(folder: Path) -> SelfPlayConfig:
    for number in range(8):
        for side, seed in (("original", number), ("modified", 50 + number)):
            scenery(112, 112, seed).save(folder / f"{number}_{side}.png")
    return SelfPlayConfig.model_validate(
        {
            "pairs": {
                "mix": {"charts": 2, "photos": 1, "imported": 2},
                "charts": {"style": "compact"},
                "photos": {"width": 112, "height": 112},
                "imported": {"location": str(folder)},
                "quality": {"max_changed_area": 1.0},
            },
            "learning": {"games_per_iteration": 8},
            "evaluation": {"pairs": 12},
            "promotion": {"pairs": 6},
        }
    )


def test_a_mix_is_made_domain_by_domain_and_kept_apart(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    tables = {domain: build_pairs(domain, config, first=1, iterations=2) for domain in DOMAINS}
    table = joined([*tables.values()])
    for split, positions in (("train", range(9, 27)), ("held_out", range(12 + 6))):
        assert sorted(table.of_split(split).rows["position"].to_pylist()) == list(positions)
    for domain, own in tables.items():
        assert {pair.domain for pair in own.pairs()} == {domain}
        train, held_out = ({base_of(pair) for pair in own.of_split(split).pairs()} - {""} for split in ("train", "held_out"))
        assert not train & held_out
        # charts of random values have no location, so no report
        assert [report.used for report in own.reports] == [len(train | held_out)] * (domain != "charts")
    verdict = judge(table, config.pairs)
    # Eight pairs are not enough for so many games: they come again, and that is no fault.
    assert (verdict.checked, verdict.passed) == (36, 36)
    assert next(entry.again for entry in verdict.domains if entry.domain == "imported") > 0


def test_no_pairs_are_made_for_iterations_beyond_the_schedule(tmp_path: Path) -> None:
    config = config_of(tmp_path).model_copy(update={"learning": LearningConfig(iterations=3, games_per_iteration=8)})
    for first, positions in ((1, range(9, 27)), (3, range(0))):
        made = build_pairs("charts", config, first, iterations=10).of_split("train")
        assert set(made.rows["position"].to_pylist()) <= set(positions)

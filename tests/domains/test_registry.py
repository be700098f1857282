"""A domain of pairs is a plug-in: a toy domain of this file is made, judged and played with, and no other module knows a name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any, final

import pytest
from PIL import Image, ImageDraw
from pydantic import Field, ValidationError

from vision_zero.config.build_pairs import BuildPairsConfig
from vision_zero.config.self_play import PairsConfig, SelfPlayConfig
from vision_zero.config.sources import SourcesConfig
from vision_zero.config_base import Config
from vision_zero.data.image_pair import Change, ImagePair
from vision_zero.data.source import PairSource
from vision_zero.data.table import PairTable
from vision_zero.domains import registry
from vision_zero.domains.domain import Domain, Question
from vision_zero.domains.order import Order
from vision_zero.domains.pair_rules import PairRule, same_elsewhere, shows_change
from vision_zero.domains.quality_thresholds import AreaBounds
from vision_zero.errors import PairsError
from vision_zero.evaluation.question_metrics import domain_questions
from vision_zero.game.engine import deal_all, play
from vision_zero.game.interface import Reply, Request
from vision_zero.game.spy import WhoIsTheSpy
from vision_zero.pair_sets.build import build_pairs
from vision_zero.pair_sets.parts import make_pairs
from vision_zero.randomness import Seed
from vision_zero.recipes.input_fingerprints import of_recipe
from vision_zero.report.render_pairs import render_into
from vision_zero.report.replay import replay_page
from vision_zero.validation.expectations import judge

ROOT = Path(__file__).resolve().parents[2]
COLORS = ("red", "green", "blue", "yellow")


class FlagsConfig(Config):
    """Flags of vertical stripes."""

    width: int = Field(96, ge=16)
    height: int = Field(64, ge=16)
    stripes: int = Field(3, ge=2, le=4)


def flag(stripes: list[str], config: FlagsConfig) -> Image.Image:
    image = Image.new("RGB", (config.width, config.height))
    wide = config.width // len(stripes)
    for place, color in enumerate(stripes):
        ImageDraw.Draw(image).rectangle((place * wide, 0, (place + 1) * wide - 1, config.height), fill=color)
    return image


@final
class FlagSource(PairSource):
    """Recolours one stripe."""

    domain = "flags"

    def __init__(self, config: FlagsConfig) -> None:
        self.config = config

    def sample(self, seed: Seed) -> ImagePair:
        rng = seed.generator()
        before = [str(color) for color in rng.permutation(COLORS)[: self.config.stripes]]
        place = int(rng.integers(len(before)))
        after = [*before]
        after[place] = "black"
        wide = self.config.width // len(before)
        box = (place * wide, 0, (place + 1) * wide, self.config.height)
        return ImagePair(
            pair_id=f"flag-{seed.digest()[:16]}",
            domain=self.domain,
            original=flag(before, self.config),
            modified=flag(after, self.config),
            changes=(Change("recolor", f"{before[place]} stripe", "black stripe", box),),
            original_facts={"stripes": before},
            modified_facts={"stripes": after},
        )


FLAGS = Domain(
    name="flags",
    summary="Flags.",
    things="flags",
    step="sew_flags",
    config=FlagsConfig,
    source=lambda config, part: FlagSource(config),
    settings_for=lambda order: FlagsConfig(**order.given_size),
    rules=lambda quality: [
        *shows_change("flags", quality),
        same_elsewhere(quality),
        PairRule("the first stripe is not red", "flag_fault"),
    ],
    measure=lambda pair, quality: {"flag_fault": "it is red" if pair.original_facts["stripes"][0] == "red" else None},
    bounds=AreaBounds(max_changed_area=0.6, max_similarity=1.0),
    edits=lambda config: {"recolor": 1.0},
    questions={"stripe": lambda facts, rng: Question("stripe", "What color is the first stripe?", facts["stripes"][0])},
)


class FlagPairs(PairsConfig):
    """The settings of pairs as they are composed where the registry has a line for the toy domain."""

    flags: FlagsConfig = FlagsConfig()


class FlagBuild(BuildPairsConfig):
    """The same for ``build_pairs``."""

    flags: FlagsConfig = FlagsConfig()


@final
class Talkers:
    """Players that say something and vote for the first seat."""

    def reply(self, requests: list[Request], seed: Seed) -> list[Reply]:
        return [Reply("\\boxed{1}" if request.kind == "vote" else "\\boxed{three stripes}") for request in requests]


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.DOMAINS, "flags", FLAGS)


def config_of(**pairs: Any) -> SelfPlayConfig:
    return SelfPlayConfig(
        pairs=FlagPairs(mix={"flags": 1.0}, **pairs),
        learning={"games_per_iteration": 6},
        evaluation={"pairs": 6},
        promotion={"pairs": 2},
    )


def test_a_toy_domain_is_made_judged_and_played_with() -> None:
    config = config_of(quality={"max_quarantined": 1.0, "probe_pairs": 0, "by_domain": {"flags": FLAGS.bounds}})
    table = build_pairs("flags", config, 0, 1)
    assert {split: len(table.of_split(split)) for split in ("train", "held_out")} == {"train": 7, "held_out": 8}
    verdict = judge(table, config.pairs)
    assert {entry.domain for entry in verdict.domains} == {"flags"}
    red = {pair.pair_id for pair in table.pairs() if pair.original_facts["stripes"][0] == "red"}
    broken = {entry.pair_id for entry in verdict.quarantined if "flags: the first stripe is not red" in entry.reasons}
    assert broken == red != set()
    assert all("flag fault: it is red" in entry.reasons for entry in verdict.quarantined if entry.pair_id in red)
    assert verdict.domains[0].edits == {"recolor": verdict.passed}

    pairs = [pair for pair in table.of_split("held_out").pairs() if pair.pair_id not in red]
    game = WhoIsTheSpy(config.game)
    tables = play(game, deal_all(game, pairs, Seed(0)), Talkers(), Seed(0))
    assert [len(state.transcript.votes) for state in tables] == [3] * len(pairs)
    page = replay_page("flags", [state.transcript for state in tables], {pair.pair_id: pair for pair in pairs}, config.rewards)
    assert "three stripes" in page
    questions = domain_questions(pairs, 3, Seed(0))
    assert {asked.question.family for asked in questions} == {"stripe"}


def test_a_toy_domain_is_drawn_by_order_built_in_any_number_and_fingerprinted(tmp_path: Path) -> None:
    drawn = render_into(tmp_path / "drawn", Order("flags", 2, (64, 48)))
    assert drawn.total == 2
    assert {pair.original.size for pair in PairTable.read(tmp_path / "drawn" / "pairs.parquet").pairs()} == {(64, 48)}
    made = make_pairs(FlagBuild(domain="flags", train=3, held_out=2, pairs_per_file=2), tmp_path / "made")
    assert sum(len(batch) for batch in made.batches(8)) == 5
    assert of_recipe(config_of()) != ""


def test_the_mix_knows_registered_domains_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [domain.name for domain in FlagPairs(mix={"flags": 1.0}).active] == ["flags"]
    monkeypatch.delitem(registry.DOMAINS, "flags")
    with pytest.raises(ValidationError, match="flags is no domain of pairs: scenes, charts, photos, pictures, imported are"):
        FlagPairs(mix={"flags": 1.0})


def test_each_folder_exports_its_record() -> None:
    folders = {path.parent.name for path in (ROOT / "vision_zero/domains").glob("*/domain.py")}
    assert folders == set(registry.DOMAINS) - {"flags"}
    for name in folders:
        record = registry.DOMAINS[name]
        assert (record.name, record.module) == (name, f"vision_zero.domains.{name}.domain")
        assert record.config.__module__ == f"vision_zero.domains.{name}.config"
        assert type(SourcesConfig.model_fields[name].default) in (record.config, type(None))
        assert SourcesConfig.model_fields[name].description == record.summary
    assert len({record.step for record in registry.DOMAINS.values()}) == len(registry.DOMAINS)


_CURRICULUM = "the warm start teaches scenes and compact charts, and nothing else"
_PROCESSOR = "pictures are the settings of a model's image processor"
_SUITES = "scenes and charts are names of suites"
NAMED = {
    "vision_zero/config/nano_defaults.py": "the embedded policy was trained on scenes",
    "vision_zero/warm_start/curriculum.py": _CURRICULUM,
    "vision_zero/warm_start/exam.py": _CURRICULUM,
    "steps/warm_start.py": _CURRICULUM,
    "vision_zero/evaluation/run_suites.py": _PROCESSOR,
    "vision_zero/evaluation/score_suites.py": _PROCESSOR,
    "vision_zero/policy/loading.py": _PROCESSOR,
    "vision_zero/config/suite_registry.py": _SUITES,
    "vision_zero/evaluation/suites/scenes.py": _SUITES,
    "vision_zero/evaluation/suites/charts.py": _SUITES,
    "vision_zero/evaluation/suites/odd_one_out.py": _SUITES,
}
"""Modules outside the domains that have a domain's name, and why."""


def names_a_domain(source: str) -> Iterator[str]:
    """Lines that compare with a domain's name, have it as a key or default, or take a domain's settings by attribute."""
    names = set(registry.DOMAINS)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in names:
            yield f"{node.lineno}: {node.value!r}"
        elif isinstance(node, ast.Attribute) and node.attr in names and ast.unparse(node.value).endswith(("pairs", "config")):
            yield f"{node.lineno}: {ast.unparse(node)}"


def test_no_module_outside_the_domains_knows_a_name() -> None:
    found = {}
    for top in ("vision_zero", "steps", "pipelines", "materializers"):
        for path in sorted((ROOT / top).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if name.startswith("vision_zero/domains/"):
                continue
            if lines := [*names_a_domain(path.read_text(encoding="utf-8"))]:
                found[name] = lines
    assert {name: lines for name, lines in found.items() if name not in NAMED} == {}
    assert set(NAMED) <= set(found), "what names no domain any more is no exception"


@pytest.mark.parametrize("source", ['if pair.domain == "scenes": ...', "config.pairs.charts.width", '{"photos": 1}'])
def test_the_check_sees_a_name(source: str) -> None:
    assert [*names_a_domain(source)]


@pytest.mark.parametrize(("name", "things"), [("pictures", "single images"), ("imported", "imported pairs")])
def test_what_is_taken_as_it_is_refuses_edits(name: str, things: str) -> None:
    for order in (Order(name, location="x", edits=("move",)), Order(name, location="x", changes=2)):
        with pytest.raises(PairsError, match=f"{things} are not edited: leave out --edit and --changes"):
            registry.DOMAINS[name].settings_for(order)


@pytest.mark.parametrize(
    ("size", "style"), [((112, 112), "compact"), ((200, 170), "compact"), ((240, 180), "full"), (None, "full")]
)
def test_charts_without_room_for_text_are_compact(size: tuple[int, int] | None, style: str) -> None:
    assert registry.DOMAINS["charts"].settings_for(Order("charts", size=size)).style == style


def test_tables_without_room_for_text_say_how_much_they_need() -> None:
    with pytest.raises(ValidationError, match="style full needs at least 240x180 pixels"):
        registry.DOMAINS["charts"].settings_for(Order("charts", size=(112, 112), location="x"))

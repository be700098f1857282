"""Presets hold what docs/presets.md says: the paper's constants, those for large models, and what nano changes."""

import json
import re
from pathlib import Path

import pytest
import yaml

from vision_zero.config.learning import LearningConfig, SwitchConfig
from vision_zero.config.nano_defaults import NANO_GAME, NANO_SAMPLING, NANO_SCENES
from vision_zero.config.presets import LORA, PAPER, PRESETS
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.config.warm_start import WarmStartConfig
from vision_zero.recipes.recipe_file import read_yaml

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "presets.md").read_text()


def leaves(settings, path=""):
    """Values by dotted name."""
    found = {}
    for key, value in settings.items():
        found.update(leaves(value, f"{path}{key}.") if isinstance(value, dict) and value else {f"{path}{key}": value})
    return found


def rows(heading):
    """The table's rows below a heading: name → the other cells."""
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    found = re.findall(r"^\| `([\w.]+)` \| (.+) \|$", section, re.MULTILINE)
    return {name: rest.split(" | ") for name, rest in found}


def test_the_preset_sets_the_papers_constants_whatever_the_defaults_are():
    config = leaves(SelfPlayConfig(preset="paper").model_dump())
    for name, value in leaves(PAPER).items():
        assert config[name] == value, name
    assert config["learning.switch.ema_init"] == "zero"
    assert SelfPlayConfig().learning.switch.ema_init == "bias_corrected"


def test_what_is_given_beside_a_preset_stands():
    config = SelfPlayConfig.model_validate({"preset": "paper", "learning": {"kl": 0.2, "switch": {"patience": 7}}})
    assert (config.learning.kl, config.learning.switch.patience, config.learning.switch.ema_init) == (0.2, 7, "zero")
    made = SelfPlayConfig(preset="paper", learning=LearningConfig(switch=SwitchConfig(patience=7)))
    assert (made.learning.switch.patience, made.learning.switch.ema_init) == (7, "zero")
    assert SelfPlayConfig.model_validate(config.model_dump(mode="json")) == config


def test_the_embedded_policy_plays_everywhere_as_in_its_recipe():
    recipe = yaml.safe_load((ROOT / "configs/self_play/nano.yaml").read_text())["parameters"]["config"]
    config = SelfPlayConfig.model_validate(recipe)
    played = config.policy.sampling.model_copy(update={"vote_temperature": None})
    assert (config.game, played) == (NANO_GAME, NANO_SAMPLING), "hotter votes are for learning"
    assert config.pairs.scenes == NANO_SCENES == WarmStartConfig.model_fields["scenes"].default


def test_the_exam_is_the_recipe_but_for_what_is_measured():
    files = (ROOT / f"configs/self_play/{name}.yaml" for name in ("nano", "nano_exam"))
    recipe, exam = map(read_yaml, files)
    asked = [document["parameters"]["config"].pop("evaluation") for document in (recipe, exam)]
    assert recipe == exam
    assert asked[1]["pairs"] > asked[0]["pairs"]
    assert "seed" not in asked[0] and "seed" in asked[1], "other pairs than those that were looked at while the recipe was made"


def test_an_unknown_preset_is_an_error():
    with pytest.raises(ValueError, match="Input should be 'paper', 'paper_v2', 'lora' or 'full'"):
        SelfPlayConfig.model_validate({"preset": "pape"})


def test_the_page_lists_what_the_preset_sets():
    listed = {name: json.loads(cells[0]) for name, cells in rows("What `preset: paper` sets").items()}
    assert listed == leaves(PAPER)


def test_the_page_lists_what_lora_changes_why_and_what_that_rests_on():
    lora, paper = (leaves(SelfPlayConfig(preset=name).model_dump(mode="json", exclude={"preset"})) for name in ("lora", "paper"))
    names = [name for name in {**paper, **lora} if paper.get(name) != lora.get(name)]
    listed = rows("What `preset: lora` changes")
    assert {name: cells[:2] for name, cells in listed.items()} == {
        name: [json.dumps(paper.get(name)), json.dumps(lora.get(name))] for name in names
    }
    assert all(len(cells[2]) > 20 and cells[3] for cells in listed.values()), "each row says why, and what that rests on"


def test_constants_known_to_fail_are_in_no_preset_for_work():
    for name in ("lora", "full"):
        config = SelfPlayConfig(preset=name)
        learning = config.learning
        assert (config.rewards.lam, config.rewards.vote_scale, learning.optimizer) == (0.0, "batch", "per_stage")
        assert (learning.of("clue").learning_rate, learning.switch.ema_init) == (
            1e-4 if name == "lora" else 1e-5,
            "bias_corrected",
        )
        assert config.policy.sampling.max_vote_tokens == config.policy.sampling.max_clue_tokens == 1024
    assert leaves(LORA).keys() > leaves(PAPER).keys()


def test_the_papers_second_version_shows_the_spy_an_empty_image_and_is_the_first_otherwise():
    first, second = (leaves(PRESETS[name]) for name in ("paper", "paper_v2"))
    assert {name: value for name, value in second.items() if first[name] != value} == {"game.spy_image": "blank"}


def test_a_presets_rate_is_for_what_is_trained():
    with pytest.raises(
        ValueError, match="the learning rate of an adapter: for policy.adapter null set preset full".replace(".", r"\.")
    ):
        SelfPlayConfig.model_validate({"preset": "lora", "policy": {"adapter": None}})
    with pytest.raises(ValueError, match="preset full has the learning rate of all weights: for an adapter set preset lora"):
        SelfPlayConfig.model_validate({"preset": "full", "policy": {"adapter": {"rank": 8}}})


def test_the_page_lists_what_nano_changes_and_why():
    recipe = yaml.safe_load((ROOT / "configs/self_play/nano.yaml").read_text())["parameters"]["config"]
    nano = leaves(SelfPlayConfig.model_validate(recipe).model_dump(mode="json", exclude={"preset"}))
    paper = leaves(SelfPlayConfig(preset="paper").model_dump(mode="json", exclude={"preset"}))
    names = [name for name in {**paper, **nano} if paper.get(name) != nano.get(name)]
    expected = {name: [json.dumps(paper.get(name)), json.dumps(nano.get(name))] for name in names}
    listed = rows("What nano changes")
    assert {name: cells[:2] for name, cells in listed.items()} == expected
    assert all(len(cells[2]) > 20 for cells in listed.values()), "each row says why"

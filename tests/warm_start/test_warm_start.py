"""The warm start on a handful of images: examples by name, checks that are true, and an interruption that changes nothing."""

import re
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.make import scene_pairs
from vision_zero.config.nano_defaults import NANO_REASONING, NANO_SAMPLING
from vision_zero.config.policy import PolicyConfig
from vision_zero.config.warm_start import WarmStartConfig
from vision_zero.data.images import decode
from vision_zero.domains.charts.config import ChartsConfig
from vision_zero.domains.charts.source import ChartSource
from vision_zero.domains.scenes.object_lists import matched
from vision_zero.domains.scenes.statements import SIDE_WORDS, Relation, parse, parts_of
from vision_zero.errors import PolicyError
from vision_zero.game.parsing import read_clue, read_vote
from vision_zero.policy.loading import load_policy
from vision_zero.randomness import Seed
from vision_zero.warm_start.build import build_policy
from vision_zero.warm_start.curriculum import EXAMPLE_MAKERS, Curriculum, generate_files
from vision_zero.warm_start.exam import examine
from vision_zero.warm_start.examples.charts import look_up_example
from vision_zero.warm_start.examples.example import DIRECT
from vision_zero.warm_start.examples.game import check_example, clue_example, verdicts, vote_example
from vision_zero.warm_start.examples.scenes import evidence, false_statement, order_example, question_example, true_statement
from vision_zero.warm_start.sft import learning_rate_share

pytestmark = pytest.mark.slow

EVERYTHING = tuple(EXAMPLE_MAKERS)


def few_examples() -> WarmStartConfig:
    return WarmStartConfig.model_validate(
        {
            "scene_pairs": 6,
            "chart_pairs": 3,
            "pairs_per_file": 4,
            "pictures_per_step": 3,
            "checkpoint_every": 2,
            "tokenizer_examples": 100,
            "phases": [
                {"steps": 2, "topics": {"list": 1.0}},
                {"steps": 2, "examples_per_picture": 3, "topics": dict.fromkeys(EVERYTHING, 1.0)},
                {"steps": 2, "topics": {"vote": 1.0}, "learning_rate": 1e-4, "reasoned": 0.5, "scene_pairs": [4, 6]},
            ],
        }
    )


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    generate_files(few_examples(), folder, lambda line: None)
    return folder


@pytest.fixture(scope="module")
def trained(images, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fine_tuning")
    return build_policy(few_examples(), images, folder, lambda line: None)


def facts(seed: int):
    pair = scene_pairs(4)[seed % 4]
    return pair.original_facts, pair.modified_facts, np.random.default_rng(seed)


@pytest.mark.parametrize("seed", range(20))
def test_statements_are_what_they_are_called(seed):
    own, other, rng = facts(seed)
    said = true_statement(own, rng)
    assert said.holds(own)
    assert parse(said.text()) == said
    assert not false_statement(own, other, rng).holds(own)


JUDGED = re.compile(r"(?:^|, | )(yes|no)(?=, |$)")
"""A verdict, at the end of what it judges."""


def judged(reply: str) -> dict[int, list[str]]:
    """The verdicts of a check or a vote, by seat."""
    checks = reply.split(" \\boxed", maxsplit=1)[0].rstrip(".")
    if checks.startswith(NANO_REASONING):
        checks = checks.split(". ", 1)[1]
    checks = checks.removeprefix(f"{DIRECT} ")
    return {int(seat): JUDGED.findall(text) for seat, text in (part.split(": ", 1) for part in checks.split("; "))}


@pytest.mark.parametrize("reasoned", [False, True])
def test_a_vote_example_follows_the_best_rule_on_its_own_checks(reasoned):
    guesses = []
    for seed in range(60):
        own, other, rng = facts(seed)
        example = vote_example(own, other, rng, reasoned=reasoned)
        seats = {int(line.split(":")[0]) for line in example.prompt.splitlines() if line[0].isdigit()}
        _, choice = read_vote(example.answer, max(seats))
        denied = {seat: verdicts.count("no") for seat, verdicts in judged(example.answer).items()}
        voter = int(re.match(r"Player (\d)", example.prompt)[1])
        assert denied.keys() == seats - {voter}
        assert denied[choice.seat] == max(denied.values())
        if not any(denied.values()):
            guesses.append(choice.seat)
    assert len(set(guesses)) > 2  # a guess is of no seat in particular


def test_verdicts_of_both_forms_are_the_truth():
    own, other, rng = facts(3)
    said = {(1, 1): true_statement(own, rng), (2, 1): false_statement(own, other, rng), (2, 2): true_statement(other, rng)}
    direct, reasoned = (verdicts(said, own, reasoned=form) for form in (False, True))
    assert judged(direct) == judged(reasoned)
    assert " ".join(judged(direct)[1]) in ("yes", "yes yes")
    assert "no" in judged(direct)[2]
    assert " = " in reasoned
    assert " = " not in direct


@pytest.mark.parametrize("seed", range(30))
def test_the_evidence_of_a_relation_is_two_things_that_stand_so_or_none(seed):
    own, other, rng = facts(seed)
    for said in (true_statement(own, rng), false_statement(own, other, rng)):
        for part in parts_of(said):
            if isinstance(part, Relation):
                found = evidence(part, own).split(" = ")[1]
                assert (found != "none") == part.holds(own)
                if found != "none":
                    shown = parse(f"a {found}".replace(f" {SIDE_WORDS[part.side]} ", f" {SIDE_WORDS[part.side]} a "))
                    assert shown.holds(own)
                    assert shown.side == part.side


@pytest.mark.parametrize("seed", range(8))
def test_objects_are_listed_from_the_side_that_is_asked_for(seed):
    own, _, rng = facts(seed)
    example = order_example(own, rng)
    side = {"left": "left", "right": "right", "front": "front", "back": "behind"}[example.prompt.removesuffix(".").split()[-1]]
    objects = {" ".join(str(item[key]) for key in ("size", "color", "material", "shape")): item for item in own["objects"]}
    told = [objects[words] for words in example.answer.split(", ")]
    along = [float(np.dot(item["3d_coords"], own["directions"][side])) for item in told]
    assert len(told) == len(own["objects"])
    assert along == sorted(along, reverse=True)


@pytest.mark.parametrize("topic", ["question", "check", "clue", "vote", "chart question", "difference"])
def test_reasoned_replies_and_no_direct_ones_begin_with_the_same_words(topic):
    source = ChartSource(ChartsConfig(style="compact")).sample(Seed(1))
    for seed in range(5):
        own, other = (source.original_facts, source.modified_facts) if topic == "chart question" else facts(seed)[:2]
        direct, reasoned = (EXAMPLE_MAKERS[topic](own, other, np.random.default_rng(seed), form).answer for form in (False, True))
        assert reasoned.startswith(f"{NANO_REASONING} ")
        assert direct.startswith(f"{DIRECT} ")
        assert len(reasoned) > len(direct)


def test_a_phase_says_how_many_examples_are_reasoned(images):
    shares = []
    for share in (0.0, 0.3, 1.0):
        curriculum = Curriculum(few_examples_with(topics={"vote": 1.0}, reasoned=share), images)
        answers = [curriculum.images_with_examples(0, number).examples[0].answer for number in range(200)]
        shares.append(sum(answer.startswith(NANO_REASONING) for answer in answers) / len(answers))
    assert shares[0] == 0
    assert 0.2 < shares[1] < 0.4
    assert shares[2] == 1


@pytest.mark.parametrize("seed", range(20))
def test_a_clue_example_says_something_true_of_its_image(seed):
    own, other, rng = facts(seed)
    _, clue = read_clue(clue_example(own, other, rng, reasoned=seed % 2 == 0).answer, 200)
    assert parse(clue.text).holds(own)


def test_checks_are_of_both_kinds():
    answers = " ".join(check_example(*facts(seed), reasoned=False).answer for seed in range(40))
    share = answers.count(" no") / (answers.count(" no") + answers.count(" yes"))
    assert 0.25 < share < 0.55


def test_files_that_are_there_are_not_drawn_again(images):
    told: list[str] = []
    generate_files(few_examples(), images, told.append)
    assert told == []


def test_what_was_made_with_other_settings_is_not_taken_for_ones_own(images, trained):
    """Images and weights would be the old ones, and the model card would describe the new settings."""
    config = few_examples()
    fewer = config.model_copy(update={"seed": 3, "scene_pairs": 5})
    with pytest.raises(PolicyError, match=r"was begun with other settings \(scene_pairs, seed\): set them back, or delete it"):
        generate_files(fewer, images, lambda line: None)
    folder = trained.parents[1]
    with pytest.raises(PolicyError, match=r"fine_tuning.* was begun with other settings \(weight_decay\)"):
        build_policy(config.model_copy(update={"weight_decay": 0.1}), images, folder, lambda line: None)
    examined = config.model_copy(update={"compile": True, "exam_pairs": 4, "folder": "elsewhere"})
    assert build_policy(examined, images, folder, lambda line: None) == trained


def test_an_example_depends_on_its_place_and_on_nothing_before_it(images):
    one, two = Curriculum(few_examples(), images), Curriculum(few_examples(), images)
    for place in ((0, 0), (3, 2), (2, 1)):
        one.images_with_examples(1, 1)
        first, second = one.images_with_examples(*place), two.images_with_examples(*place)
        assert first.examples == second.examples
        assert first.image.tobytes() == second.image.tobytes()


def test_a_phase_trains_on_its_own_scene_pairs(images):
    curriculum = Curriculum(few_examples(), images)
    seen = {curriculum.images_with_examples(step, number).image.tobytes() for step in (4, 5) for number in range(20)}
    rows = curriculum._scenes.slice(4, 2).to_pylist()
    own = {decode(row[side]["bytes"], row["pair_id"]).tobytes() for row in rows for side in ("original", "modified")}
    assert seen == own


def test_a_phase_cannot_train_on_pairs_that_are_not_drawn():
    with pytest.raises(ValueError, match="up to 60000, but scene_pairs makes only 6"):
        few_examples_with(scene_pairs=[0, 60000])
    with pytest.raises(ValueError, match="first pair and the one after the last"):
        few_examples_with(scene_pairs=[3, 3])


def test_without_chart_pairs_no_charts_are_asked_for(images, tmp_path):
    with pytest.raises(ValueError, match="a phase has topics of charts, but chart_pairs is 0"):
        WarmStartConfig.model_validate(few_examples().model_dump() | {"chart_pairs": 0})
    scenes = few_examples_with(topics={"list": 1.0}).model_copy(update={"chart_pairs": 0})
    shutil.copytree(images / "scenes", tmp_path / "scenes")
    said = list(Curriculum(scenes, tmp_path).texts(40))
    assert len(said) == 80
    assert not any("values" in text for text in said)


def few_examples_with(**changes) -> WarmStartConfig:
    config = few_examples().model_dump()
    return WarmStartConfig.model_validate(config | {"phases": [config["phases"][0] | changes]})


@pytest.mark.parametrize("left", [(), ("config.json", "model.safetensors")], ids=["after a checkpoint", "in the middle of one"])
def test_an_interrupted_warm_start_ends_with_the_same_weights(images, trained, tmp_path, left):
    folder = tmp_path / "interrupted"
    shutil.copytree(trained.parents[1], folder)
    for path in (folder / "fine_tuning_1" / "checkpoint-4").iterdir():
        if path.name not in left:
            path.unlink()
    if not left:
        (folder / "fine_tuning_1" / "checkpoint-4").rmdir()
    shutil.rmtree(folder / "fine_tuning_1" / "trained")
    shutil.rmtree(folder / "fine_tuning_2")
    again = build_policy(few_examples(), images, folder, lambda line: None)
    first, second = (load_file(path / "model.safetensors") for path in (trained, again))
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_what_ships_is_small_and_loads_as_single_precision(trained):
    assert (trained / "model.safetensors").stat().st_size < 8e6
    policy = load_policy(PolicyConfig(base=str(trained)), None)
    assert {parameter.dtype for parameter in policy.model.parameters()} == {torch.float32}


def test_an_examination_has_every_manner_of_answering(trained):
    config = few_examples().model_copy(update={"exam_pairs": 4, "exam_lists": 4, "exam_questions": 1})
    sampling = NANO_SAMPLING.model_copy(update={"max_clue_tokens": 4, "max_vote_tokens": 4})
    scores = examine(load_policy(PolicyConfig(base=str(trained), sampling=sampling), None), config).scores
    assert {"list/shape", "clue/unreadable, sampled", "chart/value, greedy", "question/reasoned, sampled"} <= scores.keys()
    for subject in ("question/all", "chart/all", "vote/forced"):
        assert {f"{subject}, {manner}" for manner in ("greedy", "sampled", "made to reason")} <= scores.keys()
    assert scores["vote/reasoned, made to reason"].mean == 1


def test_a_list_is_marked_by_the_best_matching_and_what_is_left_out_is_wrong():
    red, blue = ["small", "red", "metal", "cube"], ["large", "blue", "rubber", "sphere"]
    almost = ["large", "blue", "metal", "sphere"]
    assert matched([red, blue], [almost, red]) == [red, almost]
    assert matched([red, blue], [almost]) == [["", "", "", ""], almost]
    assert matched([red], []) == [["", "", "", ""]]


@pytest.mark.parametrize("seed", range(12))
def test_evidence_stands_between_look_and_answer(seed):
    own, _, rng = facts(seed)
    look, found, answer = question_example(own, rng, reasoned=True).answer.split(". ")
    assert answer.startswith("\\boxed{")
    assert all(part == "none" or part in look for group in found.split(", ") for part in group.split(" = ")[1].split(" and "))


def test_a_phase_with_a_rate_of_its_own_is_a_fine_tuning_of_its_own():
    common, own = few_examples().fine_tunings
    assert [phase.steps for phase in common.phases] == [2, 2]
    assert (own.first_step, own.steps, own.learning_rate) == (4, 2, 1e-4)
    phases = few_examples().model_dump()["phases"]
    with pytest.raises(ValueError, match="must come after"):
        WarmStartConfig.model_validate(few_examples().model_dump() | {"phases": phases[::-1]})


def test_a_look_up_finds_the_values_that_the_look_has_named():
    chart = ChartSource(ChartsConfig(style="compact")).sample(Seed(1))
    example = look_up_example(chart.original_facts, np.random.default_rng(0))
    look, found = example.answer.removesuffix(".").split(": ")[1].split(". ")
    assert sorted(look.split(", ")) == sorted(found.split(", "))
    assert [entry.split()[0] for entry in found.split(", ")] == example.prompt.removesuffix("?").split(" of ")[1].split(", ")


def test_the_learning_rate_rises_holds_and_falls():
    shares = [learning_rate_share(done / 100, 0.1, 0.5) for done in range(101)]
    assert shares[0] == 0
    assert shares[10:50] == [1.0] * 40
    assert shares[50:] == sorted(shares[50:], reverse=True)
    assert shares[100] == pytest.approx(0.02)

"""The warm start on a handful of pictures: lessons by name, checks that are true, and an interruption that changes nothing."""

import re
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.make import scene_pairs
from vision_zero.config.pairs import ChartsConfig
from vision_zero.config.warm_start import WarmStartConfig
from vision_zero.game.parsing import read_clue, read_vote
from vision_zero.pairs.charts.source import ChartSource
from vision_zero.pairs.pictures import decode
from vision_zero.pairs.scenes.statements import Count, parse
from vision_zero.policy.nano.exam import matched
from vision_zero.policy.nano.lessons.charts import teach_look_up
from vision_zero.policy.nano.lessons.game import teach_check, teach_clue, teach_vote
from vision_zero.policy.nano.lessons.scenes import false_statement, teach_question, true_statement
from vision_zero.policy.nano.making import make_policy
from vision_zero.policy.nano.school import TEACHERS, School, draw_files
from vision_zero.policy.nano.teaching import learning_rate_share
from vision_zero.randomness import Seed

EVERYTHING = tuple(TEACHERS)


def few_lessons() -> WarmStartConfig:
    return WarmStartConfig.model_validate(
        {
            "scene_pairs": 6,
            "chart_pairs": 3,
            "pairs_per_file": 4,
            "pictures_per_step": 3,
            "checkpoint_every": 2,
            "tokenizer_lessons": 100,
            "phases": [
                {"steps": 2, "topics": {"list": 1.0}},
                {"steps": 2, "lessons_per_picture": 3, "topics": dict.fromkeys(EVERYTHING, 1.0)},
                {"steps": 2, "topics": {"vote": 1.0}, "learning_rate": 1e-4, "boldness": 0.5, "scene_pairs": [4, 6]},
            ],
        }
    )


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    draw_files(few_lessons(), folder, lambda line: None)
    return folder


@pytest.fixture(scope="module")
def taught(pictures, tmp_path_factory):
    folder = tmp_path_factory.mktemp("teaching")
    return make_policy(few_lessons(), pictures, folder, lambda line: None)


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


@pytest.mark.parametrize("seed", range(20))
def test_a_vote_lesson_follows_from_its_checks(seed):
    own, other, rng = facts(seed)
    lesson = teach_vote(own, other, rng, boldness=0.25)
    seats = {int(line.split(":")[0]) for line in lesson.prompt.splitlines() if line[0].isdigit()}
    thoughts, choice = read_vote(lesson.answer, max(seats))
    checks = dict(part.split(": ", 1) for part in thoughts.split(". ", 1)[1].split("; "))
    judged = {int(seat): len(re.findall(r" no\b", verdicts)) for seat, verdicts in checks.items()}
    contradicted = {seat: times for seat, times in judged.items() if times}
    assert len(contradicted) <= 1  # nobody but the spy
    if max(contradicted.values(), default=0) != 1:
        assert choice.seat == next(iter(contradicted), None)
    elif choice.seat is not None:
        assert choice.seat in contradicted


def test_a_demonstrated_vote_is_seldom_cast_for_one_contradiction():
    own, other, _ = facts(0)
    lessons = [teach_vote(own, other, np.random.default_rng(seed), boldness=0.25).answer for seed in range(400)]
    once = [lesson for lesson in lessons if len(re.findall(r" no\b", lesson)) == 1]
    voted = sum("N/A" not in lesson for lesson in once) / len(once)
    assert 0.15 < voted < 0.35


def test_a_demonstrated_guess_is_made_where_nobody_is_contradicted_and_of_no_seat_in_particular():
    own, other, _ = facts(0)
    lessons = [teach_vote(own, other, np.random.default_rng(seed), boldness=0.0, guessing=0.3).answer for seed in range(600)]
    by_contradictions: dict[int, list[str]] = {}
    for lesson in lessons:
        by_contradictions.setdefault(len(re.findall(r" no[,;.]", lesson)), []).append(lesson.split("boxed")[1])
    guesses = [box for box in by_contradictions[0] if "N/A" not in box]
    assert 0.2 < len(guesses) / len(by_contradictions[0]) < 0.4
    assert len(set(guesses)) > 2
    assert all("N/A" in box for box in by_contradictions[1])


def test_as_many_clues_as_asked_for_are_made_numbers():
    lessons = [teach_check(*facts(seed), counting=1.0) for seed in range(20)]
    clues = [clue for lesson in lessons for line in lesson.prompt.splitlines()[:-1] for clue in line[3:-1].split("; ")]
    assert all(isinstance(parse(clue), Count) for clue in clues)
    own, other, _ = facts(0)
    answers = [teach_vote(own, other, np.random.default_rng(seed), boldness=0.0, counting=1.0) for seed in range(5)]
    assert all(" a " not in line for lesson in answers for line in lesson.prompt.splitlines() if line[0].isdigit())


@pytest.mark.parametrize("seed", range(20))
def test_a_clue_lesson_says_something_true_of_its_picture(seed):
    own, other, rng = facts(seed)
    _, clue = read_clue(teach_clue(own, other, rng).answer, 200)
    assert parse(clue.text).holds(own)


def test_checks_are_of_both_kinds():
    answers = " ".join(teach_check(*facts(seed)).answer for seed in range(40))
    share = answers.count(" no") / (answers.count(" no") + answers.count(" yes"))
    assert 0.25 < share < 0.55


def test_files_that_are_there_are_not_drawn_again(pictures):
    told: list[str] = []
    draw_files(few_lessons(), pictures, told.append)
    assert told == []


def test_a_lesson_depends_on_its_place_and_on_nothing_before_it(pictures):
    one, two = School(few_lessons(), pictures), School(few_lessons(), pictures)
    for place in ((0, 0), (3, 2), (2, 1)):
        one.taught(1, 1)
        first, second = one.taught(*place), two.taught(*place)
        assert first.lessons == second.lessons
        assert first.image.tobytes() == second.image.tobytes()


def test_a_phase_teaches_its_own_scene_pairs(pictures):
    school = School(few_lessons(), pictures)
    seen = {school.taught(step, number).image.tobytes() for step in (4, 5) for number in range(20)}
    rows = school._scenes.slice(4, 2).to_pylist()
    own = {decode(row[side]["bytes"], row["pair_id"]).tobytes() for row in rows for side in ("original", "modified")}
    assert seen == own


def test_a_phase_cannot_teach_pairs_that_are_not_drawn():
    with pytest.raises(ValueError, match="up to 60000, but scene_pairs draws only 6"):
        few_lessons_with(scene_pairs=[0, 60000])
    with pytest.raises(ValueError, match="first pair and the one after the last"):
        few_lessons_with(scene_pairs=[3, 3])


def few_lessons_with(**changes) -> WarmStartConfig:
    config = few_lessons().model_dump()
    return WarmStartConfig.model_validate(config | {"phases": [config["phases"][0] | changes]})


def test_an_interrupted_warm_start_ends_with_the_same_weights(pictures, taught, tmp_path):
    folder = tmp_path / "interrupted"
    shutil.copytree(taught.parents[1], folder)
    shutil.rmtree(folder / "course_1" / "checkpoint-4")
    shutil.rmtree(folder / "course_1" / "taught")
    shutil.rmtree(folder / "course_2")
    again = make_policy(few_lessons(), pictures, folder, lambda line: None)
    first, second = (load_file(path / "model.safetensors") for path in (taught, again))
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_what_ships_is_small_and_loads_as_single_precision(taught):
    from vision_zero.config.policy import PolicyConfig
    from vision_zero.policy.loading import load_policy

    assert (taught / "model.safetensors").stat().st_size < 8e6
    policy = load_policy(PolicyConfig(base=str(taught)), None)
    assert {parameter.dtype for parameter in policy.model.parameters()} == {torch.float32}


def test_a_list_is_marked_by_the_best_matching_and_what_is_left_out_is_wrong():
    red, blue = ["small", "red", "metal", "cube"], ["large", "blue", "rubber", "sphere"]
    almost = ["large", "blue", "metal", "sphere"]
    assert matched([red, blue], [almost, red]) == [red, almost]
    assert matched([red, blue], [almost]) == [["", "", "", ""], almost]
    assert matched([red], []) == [["", "", "", ""]]


@pytest.mark.parametrize("seed", range(12))
def test_evidence_stands_between_look_and_answer(seed):
    own, _, rng = facts(seed)
    look, evidence, answer = teach_question(own, rng, with_evidence=True).answer.split(". ")
    assert answer.startswith("\\boxed{")
    assert all(part == "none" or part in look for group in evidence.split(", ") for part in group.split(" and "))


def test_a_phase_with_a_rate_of_its_own_is_a_course_of_its_own():
    common, own = few_lessons().courses
    assert [phase.steps for phase in common.phases] == [2, 2]
    assert (own.first_step, own.steps, own.learning_rate) == (4, 2, 1e-4)
    phases = few_lessons().model_dump()["phases"]
    with pytest.raises(ValueError, match="must come after"):
        WarmStartConfig.model_validate(few_lessons().model_dump() | {"phases": phases[::-1]})


def test_a_look_up_finds_the_values_that_the_look_has_named():
    chart = ChartSource(ChartsConfig(style="compact")).sample(Seed(1))
    lesson = teach_look_up(chart.original_facts, np.random.default_rng(0))
    look, found = lesson.answer.removesuffix(".").split(": ")[1].split(". ")
    assert sorted(look.split(", ")) == sorted(found.split(", "))
    assert [entry.split()[0] for entry in found.split(", ")] == lesson.prompt.removesuffix("?").split(" of ")[1].split(", ")


def test_the_learning_rate_rises_holds_and_falls():
    shares = [learning_rate_share(done / 100, 0.1, 0.5) for done in range(101)]
    assert shares[0] == 0
    assert shares[10:50] == [1.0] * 40
    assert shares[50:] == sorted(shares[50:], reverse=True)
    assert shares[100] == pytest.approx(0.02)


def test_a_bolder_voter_votes_more_often():
    own, other, _ = facts(0)
    votes = [
        sum("N/A" not in teach_vote(own, other, np.random.default_rng(seed), boldness=boldness).answer for seed in range(100))
        for boldness in (0.0, 0.5, 1.0)
    ]
    assert votes[0] < votes[1] < votes[2]

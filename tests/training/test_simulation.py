"""What the stage controller does at given rates, in exact numbers."""

import re
from pathlib import Path

import pytest

from vision_zero.config.learning import SwitchConfig
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.training.controller import advance, simulate, simulation_lines
from vision_zero.training.state import StageState

PAGE = Path(__file__).resolve().parents[2] / "docs/presets.md"


def rules(preset):
    return SelfPlayConfig(preset=preset).learning.switch


def test_with_the_papers_constants_60_percent_right_switch_by_patience_alone_5_iterations_of_25():
    stages = simulate(rules("paper"), 100, (0.6, 0.05))
    assert [(switch.iteration, switch.to, switch.cause) for switch in stages.switches] == [
        (20, "clue", "patience"),
        (25, "decision", "threshold"),
        (45, "clue", "patience"),
        (50, "decision", "threshold"),
        (70, "clue", "patience"),
        (75, "decision", "threshold"),
        (95, "clue", "patience"),
        (100, "decision", "threshold"),
    ]
    assert (stages.count("decision"), stages.count("clue")) == (80, 20)
    assert stages.stages[19:26] == ("decision", *["clue"] * 5, "decision")


@pytest.mark.parametrize(
    ("preset", "rates", "votes", "clues"),
    [
        ("paper", (0.45, 0.2), 80, 20),
        ("paper", (0.95, 0.0), 43, 57),
        ("lora", (0.45, 0.2), 70, 30),
        ("lora", (0.6, 0.05), 50, 50),
        ("lora", (0.85, 0.02), 35, 65),
        ("lora", (0.6, 0.6), 70, 30),
    ],
)
def test_iterations_of_each_stage(preset, rates, votes, clues):
    stages = simulate(rules(preset), 100, rates)
    assert (stages.count("decision"), stages.count("clue")) == (votes, clues)


def test_a_course_is_that_of_the_controller():
    state = StageState.at_start(SwitchConfig())
    for _ in range(60):
        state = advance(state, 0.92, 0.03)
    assert simulate(SwitchConfig(), 60, (0.92, 0.03)).switches == state.switches != ()


def test_one_line_says_it_all():
    assert simulate(rules("lora"), 12, (0.625, 0.05)).text() == (
        "62.5 % right, 5 % N/A: votes 10, clues 2 of 12 iterations: votes 10 (patience), clues 2"
    )
    never = SwitchConfig(rule="never", start="clue")
    assert simulate(never, 3, (0.5, 0.0)).text() == "50 % right, 0 % N/A: votes 0, clues 3 of 3 iterations: clues 3"


@pytest.mark.slow
def test_whatever_the_rates_each_stage_gets_its_share():
    for right in range(21):
        for abstained in range(21 - right):
            stages = simulate(rules("lora"), 100, (right / 20, abstained / 20))
            assert min(stages.count("decision"), stages.count("clue")) >= 30, stages.rates


def test_the_page_shows_what_the_plan_prints():
    shown = re.findall(r"^\| `(paper|lora)` \| (.*N/A) \| (votes .*) \|$", PAGE.read_text(), re.MULTILINE)
    printed = [(preset, f"  {rates}: {what}") for preset, rates, what in shown]
    assert printed == [(preset, line) for preset in ("paper", "lora") for line in simulation_lines(rules(preset), 100)[1:]]

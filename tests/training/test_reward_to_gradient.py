"""docs/reward_to_gradient.md: one game played through the real loop, and every number of the page and of its image from it."""

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.training.jobs import start, tiny_job
from vision_zero.config.game import GameConfig
from vision_zero.config.rewards import RewardsConfig
from vision_zero.game.engine import deal_all
from vision_zero.game.interface import Reply
from vision_zero.game.parsing import Vote
from vision_zero.game.spy import WhoIsTheSpy
from vision_zero.policy.loading import load_base
from vision_zero.policy.policy import Policy
from vision_zero.randomness import Seed
from vision_zero.rewards.clue import clue_rewards
from vision_zero.rewards.decision import vote_reward
from vision_zero.rewards.group_advantage import group_advantages
from vision_zero.training.clue_stage import ClueLoop

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "reward_to_gradient.md").read_text(encoding="utf-8")
IMAGE = (DOCS / "images" / "reward_to_gradient.svg").read_text(encoding="utf-8")
SPY, VOTES, TOKENS = 2, {1: 2, 3: 2, 4: 1}, 12
"""The spy's seat, the seat that each civilian votes for, and the tokens of each clue."""
SAMPLED = [2, 2, 2, 1, 1, 3, 3, None]
"""Eight votes that are sampled for one voter in the decision stage."""


def fixed_reply(requests):
    """What the players say: clues of twelve tokens, and those votes."""
    said = [f"\\boxed{{{VOTES[request.seat]}}}" if request.kind == "vote" else "\\boxed{a red cube}" for request in requests]
    return [Reply(text, tuple(range(20, 20 + TOKENS))) for text in said]


@pytest.fixture(scope="module")
def walked(tiny_base, tmp_path_factory):
    """An iteration of the clue stage with one game, and what passed from function to function."""
    job = tiny_job(tiny_base, tmp_path_factory.mktemp("walk"), start("clue"), iterations=1, games=1, tokens_per_step=10_000)
    job = replace(job, game=GameConfig(prompt="compact", remember_reasoning=False, civilians=3, rounds=2))
    rules = WhoIsTheSpy(job.game)
    seeds = (Seed(number) for number in range(100))
    dealt = ((seed, deal_all(rules, job.pairs.of_iteration(0), seed.child("iteration", 0))) for seed in seeds)
    job = replace(job, seed=next(seed for seed, [table] in dealt if table.transcript.spy == SPY))
    seen = SimpleNamespace()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Policy, "reply", lambda self, requests, seed: fixed_reply(requests))
        loop = ClueLoop(*load_base(job.policy), job)
        update, log_probs = loop.trainer.update, loop.trainer.log_probs

        def scored(*args):
            found = log_probs(*args)
            if found[0].requires_grad:
                seen.log_probs = found[0]
                seen.log_probs.retain_grad()
            return found

        loop.trainer.log_probs = scored
        loop.trainer.update = lambda batch, *how: setattr(seen, "batch", batch) or update(batch, *how)
        [seen.game] = loop.run().transcripts
    seen.seats = [move.seat for move in seen.game.clue_moves]
    seen.baselines = loop.progress.state.baselines
    return seen


def of_seats(values, seats):
    """One value for each seat; both of its clues have the same."""
    found = {}
    for seat, value in zip(seats, values, strict=True):
        assert found.setdefault(seat, value) == pytest.approx(value)
    return found


def written(value):
    """As the page writes numbers."""
    return f"{value:.4f}".replace("-", "−")


@pytest.fixture(scope="module")
def numbers(walked):
    """All numbers of the page by what they are, as they come out of the loop."""
    game, advantages = walked.game, of_seats(walked.batch["advantages"].tolist(), walked.seats)
    gradients = of_seats(walked.log_probs.grad[:, 0].tolist(), walked.seats)
    terms = clue_rewards(game, RewardsConfig())
    rewards = [vote_reward(Vote(seat), SPY, RewardsConfig()) for seat in SAMPLED]
    group = group_advantages(rewards)
    votes = game.votes_for()
    named = {
        "mean of votes": sum(votes[seat] for seat in game.civilians) / 3,
        "spy's baseline": walked.baselines.spy,
        "civilians' baseline": walked.baselines.civilian,
        "group mean": sum(rewards) / len(rewards),
    }
    for seat in range(1, 5):
        named |= {f"{name} {seat}": value for name, value in terms[seat].items()}
        named |= {f"reward {seat}": sum(terms[seat].values()), f"advantage {seat}": advantages[seat]}
        named[f"gradient {seat}"] = 1000 * gradients[seat]
    named |= {f"vote {number}": value for number, value in enumerate(group)}
    return {name: written(value) for name, value in named.items()}


def test_the_game_is_the_pages(walked):
    assert walked.game.spy == SPY
    assert {move.seat: move.vote for move in walked.game.votes} == VOTES
    assert len(walked.seats) == 8


def test_the_gradient_of_a_tokens_log_prob_is_its_advantage_over_clues_and_tokens(walked):
    """-A / (n |u|): the KL adds nothing yet, for the policy is the reference before its first update."""
    clues = len(walked.seats)
    for row, advantage in enumerate(walked.batch["advantages"].tolist()):
        assert walked.log_probs.grad[row].tolist() == pytest.approx([-advantage / (clues * TOKENS)] * TOKENS, rel=1e-3)


@pytest.mark.parametrize("text", [PAGE, IMAGE], ids=["page", "picture"])
def test_every_number_comes_from_the_loop(text, numbers):
    found = set(re.findall(r"[−-]?\d+\.\d{4}", text))
    assert found <= set(numbers.values()), f"no such number is computed: {found - set(numbers.values())}"
    assert found >= {numbers[f"advantage {seat}"] for seat in (1, 2, 3)}


def test_the_page_shows_every_step(numbers):
    assert set(numbers.values()) - set(re.findall(r"[−-]?\d+\.\d{4}", PAGE)) == set()


def test_functions_are_where_the_page_says():
    linked = re.findall(r"\[`([\w.]+)`\]\(\.\./([\w/]+\.py)\)", PAGE)
    assert len(linked) > 12
    for name, path in linked:
        source = (DOCS.parent / path).read_text(encoding="utf-8")
        assert re.search(rf"(def|class) {name.split('.')[-1]}\b", source), f"{path} has no {name}"

"""Rows of similar length are trained together, without the padding that none of them needs, and the update is the same."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.training.jobs import adapter, run_stage, start, votes_from_any_reply
from vision_zero.training import updates
from vision_zero.training.microbatches import (
    columns,
    first_rows,
    microbatches,
    padded_size,
    passes,
    rows_by_microbatch,
    sizes,
    split_further,
    token_shares,
    weigh,
)

pytestmark = pytest.mark.slow

PROMPTS, REPLIES = [3, 5, 2, 5], [4, 1, 2, 3]
"""Lengths: in order of their sums rows 2, 1, 0, 3."""


def batch(prompts=(0, 1, 2, 3)):
    """Four rows whose tokens say where they are: row, and place in the prompt or, from 50 on, in the reply."""
    prompt_mask = torch.tensor([[0] * (5 - length) + [1] * length for length in PROMPTS])
    reply_mask = torch.tensor([[1] * length + [0] * (4 - length) for length in REPLIES])
    tokens = torch.arange(4).unsqueeze(1) * 100
    return {
        "prompt_ids": (tokens + torch.arange(5)) * prompt_mask,
        "prompt_mask": prompt_mask,
        "completion_ids": (tokens + 50 + torch.arange(4)) * reply_mask,
        "completion_mask": reply_mask,
        "ref_per_token_logps": (tokens + 50 + torch.arange(4)) * reply_mask / 1000,
        "mm_token_type_ids": torch.cat([tokens + torch.arange(5), torch.zeros(4, 4, dtype=torch.int64)], dim=1),
        "advantages": torch.tensor([0.0, 1.0, 2.0, 3.0]),
        "num_items_in_batch": torch.tensor(10),
        "pixel_values": torch.arange(12.0).unsqueeze(1),
        "image_grid_thw": torch.tensor([[1, 1, 2], [1, 2, 2], [1, 1, 1], [1, 5, 1]]),
        "num_images": [1, 1, 1, 1],
        "prompt": list(prompts),
    }


def test_rows_of_similar_length_come_together_with_all_that_is_theirs():
    short, long = microbatches(batch(), 18)
    assert short["advantages"].tolist() == [2, 1]
    assert long["advantages"].tolist() == [0, 3]
    assert short["pixel_values"].squeeze(1).tolist() == [6, 2, 3, 4, 5], "the images of rows 2 and 1"
    assert short["image_grid_thw"].tolist() == [[1, 1, 1], [1, 2, 2]]
    assert long["num_images"] == [1, 1]
    assert short["num_items_in_batch"] == long["num_items_in_batch"] == 10


def test_columns_that_are_padding_in_every_row_are_cut():
    short, long = microbatches(batch(), 18)
    assert short["prompt_ids"].tolist() == [[0, 0, 0, 203, 204], [100, 101, 102, 103, 104]]
    assert short["completion_ids"].tolist() == [[250, 251], [150, 0]]
    assert torch.allclose(short["ref_per_token_logps"], short["completion_ids"] / 1000)
    assert short["mm_token_type_ids"].tolist() == [[200, 201, 202, 203, 204, 0, 0], [100, 101, 102, 103, 104, 0, 0]]
    assert long["completion_mask"].tolist() == [[1, 1, 1, 1], [1, 1, 1, 0]]
    [row] = [part for part in microbatches(batch(), 1) if part["advantages"] == 0.0]
    assert row["prompt_ids"].tolist() == [[2, 3, 4]]
    assert row["prompt_mask"].shape == (1, 3)
    assert row["mm_token_type_ids"].shape == (1, 7)


@pytest.mark.parametrize(
    ("tokens", "rows"), [(1, [[2], [1], [0], [3]]), (17, [[2, 1], [0], [3]]), (27, [[2, 1, 0], [3]]), (36, [[2, 1, 0, 3]])]
)
def test_a_part_holds_as_many_rows_as_the_budget_allows(tokens, rows):
    parts = microbatches(batch(), tokens)
    assert [part["advantages"].tolist() for part in parts] == rows
    assert [part["share"] for part in parts] == [len(part) / 4 for part in rows]
    for part in parts:
        columns = part["prompt_ids"].shape[1] + part["completion_ids"].shape[1]
        assert len(part["advantages"]) == 1 or len(part["advantages"]) * columns <= tokens


@given(lengths=st.lists(st.tuples(st.integers(1, 40), st.integers(0, 40)), min_size=1, max_size=40), tokens=st.integers(1, 400))
def test_parts_keep_the_budget_and_leave_no_room_for_another_row(lengths, tokens):
    alone = range(len(lengths))
    parts = rows_by_microbatch(lengths, None, tokens)
    assert sorted(row for part in parts for row in part) == list(alone)
    for part, after in zip(parts, [*parts[1:], None], strict=True):
        assert len(part) == 1 or columns(lengths, None, part) <= tokens
        assert after is None or columns(lengths, None, [*part, after[0]]) > tokens


@given(
    groups=st.lists(st.tuples(st.integers(1, 40), st.lists(st.integers(0, 40), min_size=1, max_size=8)), min_size=1, max_size=12),
    tokens=st.integers(1, 600),
)
def test_replies_to_one_prompt_stay_together_where_the_budget_allows(groups, tokens):
    rows = [((prompt, reply), number) for number, (prompt, replies) in enumerate(groups) for reply in replies]
    lengths, prompts = zip(*rows, strict=True)
    parts = rows_by_microbatch(lengths, prompts, tokens)
    assert sorted(row for part in parts for row in part) == list(range(len(rows)))
    for part in parts:
        assert len(part) == 1 or columns(lengths, prompts, part) <= tokens
    for number, (prompt, replies) in enumerate(groups):
        holding = [part for part in parts if any(prompts[row] == number for row in part)]
        assert len(holding) == 1 or prompt + padded_size(passes(replies)) > tokens


def test_the_budget_counts_what_is_computed():
    """Behind a prompt of 10 tokens: five replies of 20 and three of 100 in two passes."""
    lengths = [(10, 20)] * 5 + [(10, 100)] * 3
    assert columns(lengths, [0] * 8, range(8)) == 10 + 5 * 20 + 3 * 100
    assert rows_by_microbatch(lengths, [0] * 8, 410) == [list(range(8))]
    assert rows_by_microbatch(lengths, [0] * 8, 409) == [list(range(7)), [7]]
    assert columns(lengths, None, range(8)) == 8 * 110


def test_prompts_of_similar_length_come_together():
    lengths = [(40, 5), (90, 5), (41, 60), (89, 60)]
    assert rows_by_microbatch(lengths, range(4), 310) == [[0, 2], [3, 1]]


def test_another_process_with_more_parts_gets_as_many():
    assert split_further([[0, 1], [2, 3, 4, 5], [6]], 5) == [[0], [1], [2, 3], [4, 5], [6]]
    assert split_further([[2, 0, 1]], 3) == [[2], [0], [1]]
    assert split_further([[0, 1], [2]], 2) == [[0, 1], [2]]


def test_a_prompt_that_rows_share_counts_once():
    """Rows 1 and 3 answer one prompt of 5 tokens: 5 + 2 * 3 columns where two rows would be 16."""
    prompts, parts = [7, 5, 6, 5], microbatches(batch([7, 5, 6, 5]), 11, shared=True)
    assert [part["place"] for part in parts] == [[2], [0], [1, 3]]
    assert first_rows(parts[-1]) == ([0], [0, 0])
    assert sizes(parts) == {"update/tokens": 20.0, "update/padding": 1 - 20 / 22, "update/shared": 1 - 20 / 25}
    assert first_rows(batch(prompts)) == ([0, 1, 2], [0, 1, 2, 1])


def test_metrics_of_parts_count_by_their_tokens():
    """Two rows each; of replies the first part has 3 tokens, the second 7."""
    metrics = {"kl": [1.0, 3.0], "reward": [7.0], "step_time": []}
    weigh(metrics, token_shares(microbatches(batch(), 18)))
    assert metrics == {"kl": [pytest.approx(2.4)], "reward": [7.0], "step_time": []}


def test_padding_is_what_holds_no_token():
    found = sizes(microbatches(batch(), 18))
    assert found == {"update/tokens": 25.0, "update/padding": 1 - 25 / (2 * 7 + 2 * 9), "update/shared": 0}
    assert sizes(microbatches(batch(), 1))["update/padding"] == 0


def test_one_microbatch_of_all_rows_is_the_batch_in_another_order():
    [part] = microbatches(batch(), 36)
    assert part["completion_ids"].shape == (4, 4)
    assert part["prompt_ids"].shape == (4, 5)


@pytest.mark.parametrize(("stage", "tokens", "rows"), [("clue", 300, [4, 2]), ("decision", 160, [3, 3])])
def test_the_update_is_that_of_the_batch_as_it_was(stage, tokens, rows, make_job, monkeypatch):
    """One micro-batch of everything is what TRL would train; parts with prompts read once change nothing but the rounding."""
    votes_from_any_reply(monkeypatch)

    def learned(tokens, shared_prefix):
        settings = {"tokens_per_step": tokens, "shared_prefix": shared_prefix}
        job = make_job(start(stage), iterations=1, learning_rate=1e-3, **settings)
        job = replace(job, policy=job.policy.model_copy(update={"sampling": sampling(job)}))
        result = run_stage(job)
        return adapter(result.policy), result.state.history[0].metrics

    def sampling(job):
        return job.policy.sampling.model_copy(update={"max_clue_tokens": 24, "max_vote_tokens": 24})

    cut = []
    monkeypatch.setattr(updates, "microbatches", lambda *given, **how: noted(cut, microbatches(*given, **how)))
    (whole, at_once), (parts, in_parts) = learned(100_000, False), learned(tokens, True)
    assert len(cut[0]) == 1
    assert [len(part["advantages"]) for part in cut[1]] == rows
    assert (in_parts["update/shared"] > 0.3) == (stage == "decision")
    assert at_once["update/shared"] == 0
    assert whole.keys() == parts.keys()
    for name, value in whole.items():
        assert torch.allclose(parts[name], value, atol=2e-5), name
    for name in ("loss", "kl", "entropy", "grad_norm"):
        assert in_parts[name] == pytest.approx(at_once[name], rel=1e-3, abs=1e-6), name


def noted(cut, parts):
    """Of the updates; the reference's log-probs are computed in parts, too."""
    if "advantages" in parts[0]:
        cut.append(parts)
    return parts

"""The card of a published policy: the lines by which others open and serve it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from vision_zero.config.publish import PublishConfig
from vision_zero.evaluation.estimates import Scores
from vision_zero.evaluation.scorecard import Scorecard
from vision_zero.policy.provenance import Provenance
from vision_zero.publishing.build import published_revision
from vision_zero.publishing.card import adapter_rank, published_card
from vision_zero.training.state import StageState
from vision_zero.validation.verdict import Verdict

BASE = "Qwen/Qwen2.5-VL-7B-Instruct"


def card_of(base: str = BASE, rank: int | None = 16, revision: str | None = None, **settings: str) -> str:
    return published_card(
        PublishConfig.model_validate({"model": "spy", **settings}),
        base=base,
        revision=revision,
        rank=rank,
        name="spy 1",
        state=StageState(),
        verdict=Verdict(checked=1, passed=1, expectations=()),
        scores=Scores(iteration=1, scores=()),
        suites=Scorecard(policy="spy", base=None, suites=(), blocked=None),
    )


def served(**told: Any) -> str:
    """The command line of vLLM on such a card."""
    card = card_of(**told)
    (line,) = [line for line in card.splitlines() if line.startswith("vllm ")]
    assert f"```sh\n{line}\n```" in card
    return line


def test_a_merged_model_is_served_from_its_folder() -> None:
    assert served() == "vllm serve path/of/this/folder"
    assert served(target="hub:me/spy") == "vllm serve me/spy"


@pytest.mark.parametrize(("rank", "most"), [(1, 1), (4, 8), (16, 16), (17, 32), (64, 64), (300, 320)])
def test_an_adapter_is_served_with_its_base_and_a_rank_that_vllm_knows(rank: int, most: int) -> None:
    lora = f"--enable-lora --max-lora-rank {most} --lora-modules policy=path/of/this/folder"
    assert served(rank=rank, form="adapter") == f"vllm serve {BASE} {lora}"


def test_the_revision_and_odd_paths_are_part_of_the_line() -> None:
    lora = "--enable-lora --max-lora-rank 16 --lora-modules policy=me/spy"
    assert served(form="adapter", target="hub:me/spy", revision="abc") == f"vllm serve {BASE} --revision abc {lora}"
    assert served(base="/a path/base", form="adapter", target="hub:me/spy") == f"vllm serve '/a path/base' {lora}"


def test_the_coverage_of_intervals_which_recipes_set_is_not_told() -> None:
    """Neither scores nor suites say which it was."""
    [line] = [line for line in card_of().splitlines() if "intervals" in line]
    assert line == "Means and bootstrap intervals on held-out games and questions, after iteration 1."


def test_an_adapter_is_loaded_onto_the_revision_that_was_trained_on(tmp_path: Path) -> None:
    origin = Provenance(base=BASE, revision="abc", fingerprint="0" * 16, form="adapter", train_on="language")
    origin.write(tmp_path)

    def revision(**settings: str) -> str | None:
        return published_revision(PublishConfig.model_validate({"model": "spy", "form": "adapter", **settings}), tmp_path)

    assert (revision(), revision(revision="def")) == ("abc", "def")
    assert revision(base="me/another") is None, "another repository has other revisions"
    assert revision(base="/models/base") is None
    assert f'from_pretrained("{BASE}", revision="abc", dtype="auto")' in card_of(form="adapter", revision=revision())
    assert f'from_pretrained("{BASE}", dtype="auto")' in card_of(form="adapter")


def test_the_rank_is_the_largest_of_the_adapters(tmp_path: Path) -> None:
    assert adapter_rank(tmp_path) is None, "all weights were trained"
    for told, rank in (({"r": 8}, 8), ({"r": 8, "rank_pattern": {"q_proj": 64, "v_proj": 4}}, 64)):
        (tmp_path / "adapter_config.json").write_text(json.dumps(told))
        assert adapter_rank(tmp_path) == rank

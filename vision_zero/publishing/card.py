"""The model card of a published policy: base, training, data, scores beside the base's, limits."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from pathlib import Path

from vision_zero.config.publish import PublishConfig
from vision_zero.evaluation.estimates import Scores
from vision_zero.evaluation.scorecard import Scorecard
from vision_zero.jinja import text_template
from vision_zero.policy.base_models import is_on_the_hub
from vision_zero.policy.folder import ADAPTER_FILES
from vision_zero.training.state import StageState
from vision_zero.validation.verdict import Verdict

_VLLM_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""Allowed values of vLLM's ``--max-lora-rank`` (``MaxLoRARanks`` in ``vllm/config/lora.py``); its default is 16."""


def published_card(
    config: PublishConfig,
    *,
    base: str,
    revision: str | None = None,
    is_full: bool = False,
    rank: int | None = None,
    name: str,
    state: StageState,
    verdict: Verdict,
    scores: Scores,
    suites: Scorecard,
) -> str:
    """Markdown with the hub's YAML header.

    Args:
        base: name or path under which others find the frozen base.
        revision: of the base, if it is a pinned one of the hub.
        is_full: full fine-tuning instead of an adapter.
        rank: the largest rank of the adapter, if there is one.
        name: name of model and version in the registry.
        verdict: validation verdict of the last run's pairs.
        scores: held-out scores of this version.
        suites: its scores on the recipe's suites; may be empty.
    """
    place = config.target.removeprefix("hub:") if config.target.startswith("hub:") else "path/of/this/folder"
    return text_template("vision_zero.publishing", "card.md.j2").render(
        config=config,
        base=base,
        revision=revision,
        is_base_on_the_hub=is_on_the_hub(base),
        place=place,
        served=_served(config, base, revision, place, rank),
        is_full=is_full,
        name=name,
        state=state,
        stages=Counter(record.stage for record in state.history),
        runs=len({record.run for record in state.history}),
        verdict=verdict,
        scores=scores,
        suites=suites,
    )


def adapter_rank(trained: Path) -> int | None:
    """The largest rank in a trained policy's folder; None after full fine-tuning."""
    settings = trained / ADAPTER_FILES[1]
    if not settings.is_file():
        return None
    told = json.loads(settings.read_text(encoding="utf-8"))
    return max(int(rank) for rank in (told["r"], *(told.get("rank_pattern") or {}).values()))


def _served(config: PublishConfig, base: str, revision: str | None, place: str, rank: int | None) -> str:
    """The vLLM command that serves the published policy."""
    if config.form == "merged":
        return shlex.join(["vllm", "serve", place])
    pinned = ["--revision", revision] if revision else []
    most = [str(allowed) for allowed in _VLLM_RANKS if allowed >= (rank or _VLLM_RANKS[-1])][:1]
    ranks = ["--max-lora-rank", *most] if most else []
    return shlex.join(["vllm", "serve", base, *pinned, "--enable-lora", *ranks, "--lora-modules", f"policy={place}"])

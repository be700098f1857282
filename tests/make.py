"""Small objects for tests: games with given votes, pairs with given scenes, policies with random weights."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from PIL import Image

from vision_zero.config.nano_defaults import NANO_SCENES
from vision_zero.data.image_pair import ImagePair
from vision_zero.domains.scenes.source import SceneSource
from vision_zero.game.transcript import Move, Transcript
from vision_zero.randomness import Seed

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast


def vote(seat: int, choice: int | str | None) -> Move:
    """A vote for a seat, for nobody (None), or unreadable for a reason (a string)."""
    reason = choice if isinstance(choice, str) else None
    target = choice if isinstance(choice, int) else None
    return Move(seat, "civilian", "vote", 0, "prompt", "reply", "", vote=target, unreadable=reason)


def clue(seat: int, role: str, text: str, round_: int = 1, reasoning: str = "") -> Move:
    return Move(seat, role, "clue", round_, "prompt", f"{reasoning} \\boxed{{{text}}}", reasoning, clue=text, tokens=5)


def game(players: int, spy: int, votes: dict[int, int | str | None], clues: tuple[Move, ...] = (), name: str = "g") -> Transcript:
    """A transcript with these votes by voter."""
    moves = (*clues, *(vote(seat, choice) for seat, choice in votes.items()))
    return Transcript(game_id=f"game-{name}", pair_id=f"pair-{name}", players=players, spy=spy, moves=moves)


def scene_pairs(count: int, seed: int = 0) -> tuple[ImagePair, ...]:
    """Real 112x112 scene pairs; the first ones of a larger number are those of a smaller one."""
    return tuple(_scene_pair(seed, number) for number in range(count))


@cache
def _scene_pair(seed: int, number: int) -> ImagePair:
    """Drawn once a test session."""
    return SceneSource(NANO_SCENES).sample(Seed(seed).child("test", number))


def plain_pair(name: str = "plain", size: tuple[int, int] = (16, 16)) -> ImagePair:
    """A pair of two plain images: for tests that need no content."""
    return ImagePair(name, "imported", Image.new("RGB", size, (200, 30, 30)), Image.new("RGB", size, (30, 30, 200)), (), {}, {})


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def tiny_tokenizer() -> PreTrainedTokenizerFast:
    """A tokenizer of the words of a game, in small pieces."""
    from vision_zero.warm_start.tokenizer import train_tokenizer

    return train_tokenizer(["a large red cube left of two small spheres. yes no \\boxed{N/A} Player 1 civilian spy"] * 20)


def made_decided(model: PreTrainedModel) -> PreTrainedModel:
    """The same model with larger weights than the usual start, so that replies depend on the prompt and the image."""
    for parameter in model.parameters():
        if parameter.dim() > 1:
            parameter.data.mul_(3)
    return model


def write_tiny_base(folder: Path) -> Path:
    """Save a policy of some 200,000 random weights whose replies hold boxes often enough to play with."""
    import torch
    from transformers import Qwen2_5_VLForConditionalGeneration

    from vision_zero.warm_start.build import build_config, build_model, build_processor

    tokenizer = tiny_tokenizer()
    config = build_config(tokenizer)
    for part, sizes in (
        (config.text_config, {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 2}),
        (config.vision_config, {"depth": 1, "hidden_size": 32, "intermediate_size": 48, "num_heads": 2, "out_hidden_size": 64}),
    ):
        for name, value in sizes.items():
            setattr(part, name, value)
    config.text_config.num_key_value_heads = 1
    config.text_config.layer_types = ["full_attention"] * 2
    config.text_config.max_position_embeddings = 8192  # in its small pieces of words the paper's prompts are long
    config.vision_config.fullatt_block_indexes = [0]
    reference = build_model(tokenizer, seed=0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = made_decided(Qwen2_5_VLForConditionalGeneration(config))
    model.generation_config = reference.generation_config
    model.save_pretrained(folder)
    build_processor(tokenizer).save_pretrained(folder)
    return folder


def write_tiny_adapter(base: Path, folder: Path) -> Path:
    """Save an adapter for a base, with random weights: the folder of a policy that was trained, if badly."""
    import torch
    from peft import LoraConfig, get_peft_model

    from vision_zero.config.policy import PolicyConfig
    from vision_zero.policy.loading import load_base

    model, _ = load_base(PolicyConfig(base=str(base)))
    with torch.random.fork_rng():
        torch.manual_seed(1)
        adapted = get_peft_model(
            model, LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
        )
    adapted.save_pretrained(folder)
    return folder


def write_tiny_recipe(file: Path, base: Path, model: str, changes: Mapping[str, Any]) -> Path:
    """Write a self-play recipe of seconds; runs go beside it. Keys of ``changes`` are paths in the config: ``game__rounds``."""
    config: dict[str, Any] = {
        "seed": 3,
        "iterations_per_round": 2,
        "runs_folder": str(file.parent / "runs"),
        "pairs": {"scenes": NANO_SCENES.model_dump()},
        "game": {"prompt": "compact", "remember_reasoning": False, "civilians": 2, "rounds": 1},
        "policy": {
            "base": str(base),
            "adapter": {"rank": 4, "alpha": 8},
            "sampling": {"max_clue_tokens": 6, "max_vote_tokens": 6},
        },
        "learning": {
            "iterations": 8,
            "games_per_iteration": 2,
            "votes_per_prompt": 2,
            "learning_rate": 0.01,
            "switch": {"rule": "fixed", "period": 1, "start": "clue"},
        },
        "evaluation": {"pairs": 4, "questions": 4, "question_tokens": 8, "resamples": 100, "reasoning_prefix": "I see:"},
        "promotion": {"pairs": 4, "questions": 4},
        "alarms": {"unreadable": 1.0},  # six tokens of a random model hold no move
        "replay_games": 2,
    }
    for path, value in changes.items():
        target = config
        *parents, last = path.split("__")
        for parent in parents:
            target = target[parent]
        target[last] = value
    document = {"execution_mode": "fail_fast", "model": {"name": model}, "parameters": {"rounds": 1, "config": config}}
    file.write_text(yaml.safe_dump(document))
    return file

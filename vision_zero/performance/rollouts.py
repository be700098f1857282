"""Speed of rollouts: batched games against one reply at a time, and decoding against its bare forward passes."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from statistics import fmean
from typing import Any

import torch
from transformers import GenerationConfig

from vision_zero.config.policy import SamplingParams
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.data.image_pair import ImagePair
from vision_zero.game.engine import deal_all, play_recorded
from vision_zero.game.interface import Players
from vision_zero.game.spy import WhoIsTheSpy
from vision_zero.hardware import Hardware, hardware
from vision_zero.pair_sets.build import main_source
from vision_zero.policy.chats import Messages, user_message
from vision_zero.policy.loading import load_policy
from vision_zero.policy.policy import Policy
from vision_zero.policy.throughput_estimate import Gpu, gpu_named
from vision_zero.randomness import Seed


def measure_rollouts(config: SelfPlayConfig, games: int, single_games: int) -> dict[str, Any]:
    """Play games with a recipe's policy on its pairs and sample their votes, in each of the compared ways.

    Args:
        games: number of games in one batch.
        single_games: number of games with one reply at a time.

    Returns:
        JSON data: the machine; ``lockstep`` and ``one_at_a_time`` with seconds a game; ``votes`` with seconds and tokens per
        second of this project's decoding, of the library's ``generate``, and of the bare forward passes; their ratios; and the
        time of one decoding step, on a known GPU also relative to reading the weights at its memory bandwidth.
    """
    policy, seed = load_policy(config.policy, None), Seed(config.seed).child("bench")
    pairs = drawn_pairs(config, games, seed)
    played(config, policy, pairs[:1], seed)  # Warm-up: one-time work is done here.
    together, votes = played(config, policy, pairs, seed)
    apart, _ = played(config, one_at_a_time(policy), pairs[:single_games], seed)
    lockstep, alone = together / games, apart / single_games
    return {
        "machine": torch_hardware(),
        "policy": config.policy.base,
        "lockstep": {"games": games, "seconds_a_game": round(lockstep, 3)},
        "one_at_a_time": {"games": single_games, "seconds_a_game": round(alone, 3)},
        "lockstep_against_one_at_a_time": round(alone / lockstep, 2),
        "votes": _voted(policy, votes, seed),
    }


def drawn_pairs(config: SelfPlayConfig, number: int, seed: Seed) -> list[ImagePair]:
    """Pairs of a recipe's main domain."""
    source = main_source(config.pairs)
    return [source.sample(seed.child("pair", place)) for place in range(number)]


def one_at_a_time(policy: Policy) -> Policy:
    """The policy in batches of one reply."""
    return replace(policy, sampling=policy.sampling.model_copy(update={"batch_size": 1}))


def played(config: SelfPlayConfig, players: Players, pairs: Sequence[ImagePair], seed: Seed) -> tuple[float, list[Messages]]:
    """Duration of the games in seconds, and the prompts of their votes."""
    game = WhoIsTheSpy(config.game, config.rewards)
    began = time.perf_counter()
    _, record = play_recorded(game, deal_all(game, pairs, seed), players, seed)
    seconds = time.perf_counter() - began
    return seconds, [user_message(request.prompt, request.image) for request, _ in record if request.kind == "vote"]


def _voted(policy: Policy, votes: Sequence[Messages], seed: Seed) -> dict[str, Any]:
    """One batch of votes, decoded by this project and by transformers; by the server alone if one samples."""
    batch, params = votes[: policy.sampling.batch_size], policy.sampling.of("vote")
    with timed_passes(policy) as forward:
        began = time.perf_counter()
        replies = policy.sample(batch, params, seed, ["a vote"] * len(batch))
        ours = time.perf_counter() - began
    tokens = sum(len(reply.tokens) for reply in replies)
    speed = {"batch": len(batch), "tokens": tokens, "tokens_per_s": round(tokens / ours, 1)}
    if policy.served is not None:
        return {**speed, "server": " ".join(server.url for server in policy.served.config.servers)}
    bare, step = sum(forward["read"]) + sum(forward["step"]), fmean(forward["step"])
    library, library_tokens = _generated(policy, batch, params)
    return {
        **speed,
        "bare_forward_tokens_per_s": round(tokens / bare, 1),
        "library_tokens_per_s": round(library_tokens / library, 1),
        "against_bare_forward": round(ours / bare, 2),
        "ms_a_step": round(1000 * step, 2),
        "step_against_reading_weights": against_reading_weights(policy, step),
        "library_against_ours": round(library / library_tokens * tokens / ours, 2),
    }


def _generated(policy: Policy, batch: Sequence[Messages], params: SamplingParams) -> tuple[float, int]:
    """Seconds and tokens of transformers' ``generate``, including the encoding of the prompts."""
    config = GenerationConfig(
        max_new_tokens=params.max_tokens,
        do_sample=True,
        temperature=params.temperature,
        top_k=0,
        eos_token_id=policy.end_tokens,
        pad_token_id=policy.processor.tokenizer.pad_token_id,
        suppress_tokens=policy.image_tokens,
    )
    began = time.perf_counter()
    inputs = policy.encode(batch)
    with torch.inference_mode():
        ids = policy.model.generate(**inputs, generation_config=config)[:, inputs["input_ids"].shape[1] :]
    seconds = time.perf_counter() - began
    return seconds, int((ids != config.pad_token_id).sum())


@contextmanager
def timed_passes(policy: Policy) -> Iterator[dict[str, list[float]]]:
    """Context that records the seconds of each forward pass: of prompts under ``read``, of decoding steps under ``step``."""
    decoder, spent = policy.decoder(policy.model), defaultdict(list)

    def now() -> float:
        if policy.model.device.type == "cuda":
            torch.cuda.synchronize(policy.model.device)
        return time.perf_counter()

    def timed(name: str, forward: Callable[..., Any]) -> Callable[..., Any]:
        def passed(*told: Any, **named: Any) -> Any:
            began = now()
            result = forward(*told, **named)
            spent[name].append(now() - began)
            return result

        return passed

    decoder.__dict__.update({name: timed(name, getattr(decoder, name)) for name in ("read", "step")})
    try:
        yield spent
    finally:
        for name in ("read", "step"):
            del decoder.__dict__[name]


def against_reading_weights(policy: Policy, step: float) -> float | None:
    """The seconds of a decoding step against those of reading all weights at the memory's pace; None without a data sheet."""
    gpu = own_gpu()
    weights = sum(parameter.nbytes for parameter in policy.model.parameters())
    return None if gpu is None else round(step * gpu.bandwidth / weights, 2)


def own_gpu() -> Gpu | None:
    """This machine's GPU, if its data sheet is known."""
    return gpu_named(torch.cuda.get_device_name()) if torch.cuda.is_available() else None


def torch_hardware() -> Hardware:
    """The machine: torch's version, threads and GPU."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {**hardware(), "gpu": gpu, "threads": torch.get_num_threads(), "torch": torch.__version__}

"""What a GPU makes of a released model's shape: play, the step of one token, the update, memory, rounding; one card, minutes.

``make bench-gpu`` runs it after the tests that need a GPU. Weights are random (:mod:`vision_zero.performance.stand_in`), which no
figure depends on; replies never end by themselves and have a fixed length. What cannot be measured on a machine is null, with the
reason under ``not_measured``. On a CPU it runs with two narrow layers, ``--small``, so that it is known to work.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from peft import get_peft_model
from PIL import Image
from transformers import AutoConfig, AutoModelForImageTextToText, GenerationConfig
from transformers.utils import is_flash_attn_2_available

from vision_zero.config.learning import STAGES
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.data.image_pair import ImagePair
from vision_zero.errors import ConfigError, VisionZeroError, first_line
from vision_zero.performance.fixed_replies import FixedReplies
from vision_zero.performance.rollouts import (
    against_reading_weights,
    drawn_pairs,
    one_at_a_time,
    played,
    timed_passes,
    torch_hardware,
)
from vision_zero.performance.stand_in import QWEN_WORDS, narrowed, released_settings, write_qwen2_5_processor
from vision_zero.performance.training import WARM_UP, stage_job, stage_pairs, update_figures
from vision_zero.policy.adapter_io import new_adapter
from vision_zero.policy.chats import Messages, user_message
from vision_zero.policy.memory_estimate import GB, playing_peak
from vision_zero.policy.policy import Policy
from vision_zero.policy.processor import load_processor
from vision_zero.policy.vision_cache import enable_vision_cache
from vision_zero.publishing.rounding import lost_by_rounding
from vision_zero.randomness import Seed
from vision_zero.training.out_of_memory import free_memory
from vision_zero.training.plan import Plan, image_sizes, make_plan
from vision_zero.training.self_play import LOOPS

BASES = ("Qwen/Qwen2.5-VL-3B-Instruct", "Qwen/Qwen2.5-VL-7B-Instruct")
NO_GPU = "this machine has no GPU that PyTorch can use"
NO_SHEET = "no data sheet of this device is known here (vision_zero/policy/throughput_estimate.py)"


@dataclass(frozen=True)
class Unmeasured:
    """In place of a figure: why it could not be measured."""

    reason: str


@dataclass(frozen=True)
class Extent:
    """How much is played and trained.

    Attributes:
        games: played in lockstep.
        drawn: tokens of each of their replies.
        trained_games: in each iteration that is trained.
        trained: tokens of each of their replies.
        updates: measured iterations of each stage, after one that warms up.
        tokens_per_step: of an update's micro-batch.
    """

    games: int
    drawn: int
    trained_games: int
    trained: int
    updates: int
    tokens_per_step: int


FULL = Extent(games=64, drawn=32, trained_games=8, trained=256, updates=2, tokens_per_step=8192)
SMALL = Extent(games=2, drawn=4, trained_games=1, trained=4, updates=1, tokens_per_step=4096)


def measure_gpu(bases: Sequence[str] = BASES, *, small: bool = False, minutes: float = 8.0) -> dict[str, Any]:
    """Measure each shape in turn.

    Args:
        bases: some of ``BASES``.
        small: two narrow layers and a few tokens, on whatever device there is.
        minutes: what is not begun by then is left out.

    Returns:
        JSON data: the machine, and by base

        - ``play``: games an hour ``in_lockstep``, ``compiled`` and ``one_at_a_time``; for the first two ``ms_a_step``, of a token
          for a batch, and that against the time of reading all weights at the memory's pace, ``step_against_reading_weights``
        - ``update``: as ``vision-zero bench update`` gives it; ``of_peak`` is the share of the device's peak
        - ``memory``: the highest of play and of training, beside the plan's estimate
        - ``flash``: seconds of reading prompts with flash attention and without, and the largest difference of log-probs
        - ``merge``: the share of an adapter's change that is lost when it is merged in bfloat16

    Raises:
        ConfigError: there is no benchmark for a base, or no GPU for the full size.
    """
    unknown = [base for base in bases if base not in BASES]
    if unknown:
        raise ConfigError(f"there is no benchmark for {unknown[0]!r}: take one of {', '.join(BASES)}")
    if not small and not torch.cuda.is_available():
        raise ConfigError(f"{NO_GPU}; --small runs the benchmark on a CPU, with two narrow layers of each model")
    ends, extent = time.monotonic() + 60 * minutes, SMALL if small else FULL
    found: dict[str, Any] = {
        "machine": _machine(),
        "is_small": small,
        "replies": {"drawn": extent.drawn, "trained": extent.trained},
    }
    for base in bases:
        with tempfile.TemporaryDirectory(prefix="vision-zero-bench-") as folder:
            found[base] = _Shape(base, Path(folder), extent, small).figures(ends)
        free_memory()
    reasons: dict[str, str] = {}
    return {**_plain(found, "", reasons), "not_measured": reasons}


class _Shape:
    """One model with random weights, and what is measured on it."""

    def __init__(self, base: str, folder: Path, extent: Extent, small: bool) -> None:
        self.extent, self.folder, self.has_gpu = extent, folder, torch.cuda.is_available()
        self.device = "cuda" if self.has_gpu else "cpu"
        settings = narrowed(base) if small else released_settings(base)
        AutoConfig.for_model(settings.pop("model_type"), **settings).save_pretrained(folder)
        write_qwen2_5_processor(folder)
        self.processor = load_processor(str(folder))
        self.config = self._config(extent.drawn)
        self.seed = Seed(self.config.seed).child("bench")

    def figures(self, ends: float) -> dict[str, Any]:
        """All of them, in this order; what fails or comes too late says so."""
        measures: dict[str, Callable[[], Any]] = {
            "play": self._play,
            "flash": self._flash,
            "merge": self._merge,
            "update": self._update,
        }
        found: dict[str, Any] = {}
        for name, measure in measures.items():
            found[name] = Unmeasured("the time was up") if time.monotonic() > ends else _attempt(measure)
            if self.has_gpu:
                torch._dynamo.reset()  # the graphs of a compiled step keep memory of their own
            free_memory()
        memory = {name: found[name].pop("memory") for name in ("play", "update") if isinstance(found[name], dict)}
        return {**found, "memory": memory or Unmeasured("neither play nor training could be measured")}

    def _config(self, tokens: int) -> SelfPlayConfig:
        """The preset for adapters, with what a recipe of a large model adds."""
        learning = {"games_per_iteration": self.extent.trained_games, "tokens_per_step": self.extent.tokens_per_step}
        sampling = {"max_clue_tokens": tokens, "max_vote_tokens": tokens, "batch_size": 64}
        return SelfPlayConfig.model_validate(
            {
                "preset": "lora",
                "policy": {"base": str(self.folder), "dtype": "bfloat16", "sampling": sampling},
                "learning": {**learning, "bf16": True, "gradient_checkpointing": True},
            }
        )

    def _model(self, attention: str = "sdpa") -> Any:
        """The base with random weights, on the device."""
        config = AutoConfig.from_pretrained(self.folder)
        with torch.device(self.device), torch.random.fork_rng():
            torch.manual_seed(0)
            model = AutoModelForImageTextToText.from_config(config, dtype=torch.bfloat16, attn_implementation=attention)
        model.generation_config = GenerationConfig(eos_token_id=self.processor.tokenizer.eos_token_id)
        model.config.name_or_path = str(self.folder)
        enable_vision_cache(model)
        return model.eval()

    def _play(self) -> dict[str, Any]:
        base = self._model()
        model = get_peft_model(base, new_adapter(base, self.config.policy))
        policy = Policy(model, self.processor, self.config.policy.sampling)
        pairs = drawn_pairs(self.config, self.extent.games, self.seed)
        self._reset_peak()
        in_lockstep = _attempt(lambda: self._lockstep(policy, pairs))
        longest = int(policy.encode(self._votes_on(pairs[0]))["attention_mask"].sum(1).max())
        memory = self._memory(self._play_estimate(longest))
        compiled: Any = Unmeasured(NO_GPU)
        if self.has_gpu:
            player = replace(policy, compiled=True, decoders={})
            compiled = _attempt(lambda: self._lockstep(player, pairs))
        seconds, _ = played(self.config, one_at_a_time(policy), pairs[:1], self.seed)
        return {
            "in_lockstep": in_lockstep,
            "compiled": compiled,
            "one_at_a_time": {"games_an_hour": round(3600 / seconds, 1)},
            "memory": memory,
        }

    def _lockstep(self, policy: Policy, pairs: Sequence[Any]) -> dict[str, Any]:
        """All games at once, and one batch of votes, pass by pass; what is done once only is done before."""
        if policy.compiled:
            played(self.config, policy, pairs, self.seed)
        else:
            policy.complete(self._votes_on(pairs[0])[:1], 2, self.seed)
        seconds, votes = played(self.config, policy, pairs, self.seed)
        batch = votes[: policy.sampling.batch_size]
        with timed_passes(policy) as passes:
            policy.sample(batch, policy.sampling.of("vote"), self.seed, ["a vote"] * len(batch))
        step = fmean(passes["step"])
        return {
            "games_an_hour": round(3600 * len(pairs) / seconds, 1),
            "batch": len(batch),
            "ms_a_step": round(1000 * step, 2),
            "step_against_reading_weights": self._by_sheet(against_reading_weights(policy, step)),
        }

    def _update(self) -> dict[str, Any]:
        """Both stages with replies that are there; peak memory of all of it."""
        config = self._config(self.extent.trained)
        pairs = stage_pairs(config, WARM_UP + self.extent.updates)
        players: Any = FixedReplies(self.extent.trained, QWEN_WORDS)
        found: dict[str, Any] = {}
        self._reset_peak()
        for stage in STAGES:
            model = self._model()
            layers = sum(parameter.numel() for parameter in model.get_decoder().layers.parameters())
            job = stage_job(config, stage, pairs, self.folder / stage, WARM_UP + self.extent.updates)
            loop = LOOPS[stage](model, self.processor, job)
            loop.player = lambda: players  # type: ignore[method-assign]
            loop.run()
            found[stage] = update_figures(loop.progress.state.history[WARM_UP:], 4 * layers)
            found[stage]["of_peak"] = self._by_sheet(found[stage]["of_peak"])
            longest = max(players.asked, key=lambda request: len(request.prompt))
            inputs = loop.trained_policy().encode([user_message(longest.prompt, longest.image)])
            prompt = int(inputs["input_ids"].shape[1])
            del loop, model
            free_memory()
        peaks = self._plan(config, prompt).peaks()
        return {**found, "memory": self._memory(max(peaks["scoring by the base"], peaks["training"]))}

    def _flash(self) -> Any:
        """Prompts read with flash attention and with PyTorch's own, from the same weights."""
        if not self.has_gpu:
            return Unmeasured(NO_GPU)
        if not is_flash_attn_2_available():
            return Unmeasured("the package flash-attn is not installed")
        [pair] = drawn_pairs(self.config, 1, self.seed)
        inputs: dict[str, Any] = {}
        found, seconds = {}, {}
        for attention in ("sdpa", "flash_attention_2"):
            model = self._model(attention)
            policy = Policy(model, self.processor, self.config.policy.sampling)
            inputs = inputs or policy.encode(self._votes_on(pair) * 16)
            for _ in range(2):
                torch.cuda.synchronize()
                began = time.perf_counter()
                with torch.inference_mode():
                    logits = model(**inputs, logits_to_keep=1).logits
                torch.cuda.synchronize()
                seconds[attention] = round(time.perf_counter() - began, 4)
            found[attention] = logits[:, -1].float().log_softmax(-1)
            del model, policy
            free_memory()
        one, other = found.values()
        return {"seconds": seconds, "log_probs_differ_by": float((one - other).abs().max())}

    def _merge(self) -> dict[str, Any]:
        """What bfloat16 leaves of small updates: of one layer, whose adapter's B is uniform up to that size."""
        found = {}
        text, adapter = AutoConfig.from_pretrained(self.folder).text_config, self.config.policy.adapter
        assert adapter is not None
        draw, (rows, columns) = torch.Generator(self.device).manual_seed(0), (text.intermediate_size, text.hidden_size)

        def uniform(*shape: int) -> torch.Tensor:
            return 2 * torch.rand(*shape, generator=draw, device=self.device) - 1

        weight = text.initializer_range * torch.randn(rows, columns, generator=draw, device=self.device)
        for size in (1e-4, 1e-3):
            before = weight.bfloat16().float()
            learned = size * uniform(rows, adapter.rank) @ (uniform(adapter.rank, columns) / columns**0.5)
            after = before + adapter.alpha / adapter.rank * learned
            found[f"lost_at_{size:g}"] = round(lost_by_rounding(iter([(before, after)]), torch.bfloat16), 3)
        return found

    def _reset_peak(self) -> None:
        if self.has_gpu:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()

    def _plan(self, config: SelfPlayConfig, prompt: int) -> Plan:
        """For prompts of that length."""
        return make_plan(config, prompt=prompt, image=self._image)

    def _play_estimate(self, prompt: int) -> float:
        """Bytes of play alone: an optimiser is not there yet."""
        learning = self.config.learning.model_copy(update={"games_per_iteration": self.extent.games})
        parts = self._plan(self.config.model_copy(update={"learning": learning}), prompt).parts()
        stays = ("weights", "adapter", "cached image features")
        return sum(parts["all the time"][name] for name in stays) + playing_peak(parts["playing"])

    def _memory(self, estimate: float) -> dict[str, Any]:
        """Gigabytes at the highest since the last reset, beside the plan's estimate."""
        planned = round(estimate / GB, 3)
        if not self.has_gpu:
            return {"measured_gb": Unmeasured(NO_GPU), "estimated_gb": planned, "ratio": Unmeasured(NO_GPU)}
        measured = torch.cuda.max_memory_allocated()
        return {"measured_gb": round(measured / GB, 3), "estimated_gb": planned, "ratio": round(measured / estimate, 3)}

    def _votes_on(self, pair: ImagePair) -> list[Messages]:
        """What the voters of a game on that pair are asked."""
        return played(self.config, FixedReplies(1, QWEN_WORDS), [pair], Seed(self.config.seed))[1]

    def _by_sheet(self, figure: float | None) -> float | Unmeasured:
        """A figure that the device's data sheet is needed for; None where it is not known."""
        return Unmeasured(NO_SHEET if self.has_gpu else NO_GPU) if figure is None else figure

    @property
    def _image(self) -> int:
        """Tokens of an image."""
        [size] = image_sizes(self.config)
        made = self.processor.image_processor(images=[Image.new("RGB", size)], return_tensors="pt")
        return int(made["image_grid_thw"].prod()) // self.processor.image_processor.merge_size**2


def _attempt(measure: Callable[[], Any]) -> Any:
    """The figures, or why there are none: too little memory, or something that this device or library cannot do."""
    try:
        return measure()
    except (VisionZeroError, RuntimeError, ValueError) as error:
        return Unmeasured(f"{type(error).__name__}: {first_line(error)}")


def _plain(value: Any, path: str, reasons: dict[str, str]) -> Any:
    """As JSON data: null for what was not measured, whose reasons are noted by path."""
    if isinstance(value, Unmeasured):
        reasons[path] = value.reason
        return None
    if isinstance(value, dict):
        return {name: _plain(inner, f"{path} / {name}" if path else name, reasons) for name, inner in value.items()}
    return value


def _machine() -> dict[str, Any]:
    """The machine, with its GPU's memory and PyTorch's CUDA."""
    about: dict[str, Any] = {**torch_hardware(), "cuda": torch.version.cuda}
    if torch.cuda.is_available():
        properties = torch.cuda.get_device_properties(0)
        about |= {"gpu_memory_gb": round(properties.total_memory / 1e9, 1), "gpus": torch.cuda.device_count()}
    return about

"""A step of training measured instead of estimated: at one and two layers and full width, scaled to the model's depth.

All layers of a decoder are alike, so time and memory grow with their number: v(L) = v(1) + (L - 1) (v(2) - v(1)). The model is
built with random weights from its configuration alone, with the recipe's adapter, dtype, mixed precision and checkpointing, and
makes the forward and backward pass of an update on random tokens in rows as long as the recipe's longest. Images are tokens like
others: where the vision side is frozen its features are cached, and no update computes them.

On a GPU a whole micro-batch of the recipe is measured, and its peak; elsewhere one row, and what is kept for the backward pass.
"""

from __future__ import annotations

import time
from contextlib import nullcontext
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import psutil
import torch
from peft import get_peft_model
from transformers import AutoModelForImageTextToText

from vision_zero.config.policy import PolicyConfig
from vision_zero.errors import ConfigError
from vision_zero.performance.rollouts import own_gpu
from vision_zero.policy import memory_estimate
from vision_zero.policy.adapter_io import new_adapter
from vision_zero.policy.memory_estimate import GB, Work
from vision_zero.policy.throughput_estimate import USED
from vision_zero.training.out_of_memory import free_memory
from vision_zero.training.plan import Plan
from vision_zero.training.trl_adapter import add_fused_head

DEPTHS = (1, 2)
TIMES, SECONDS = 7, 20.0
"""At most so many steps are timed, in about so much time; the fastest counts, since other work on the machine only slows them."""


@dataclass(frozen=True)
class Step:
    """What a forward and backward pass takes.

    Attributes:
        seconds: of the fastest one.
        kept: bytes of tensors that are kept for the backward pass.
        peak: bytes at the highest beside what stays; None without a GPU.
    """

    seconds: float
    kept: float
    peak: float | None


@dataclass(frozen=True)
class MeasuredStep:
    """A step scaled to full depth, beside its estimate.

    Attributes:
        work: what was measured.
        estimated: the plan's for the same work; ``seconds`` is None where the device's data sheet is not known.
    """

    device: str
    layers: int
    work: Work
    step: Step
    estimated_kept: float
    estimated_peak: float
    estimated_seconds: float | None

    def lines(self) -> list[str]:
        """The measurement as lines of text."""
        step = self.step
        guess = "" if self.estimated_seconds is None else f", {self.estimated_seconds:.2f} s estimated"
        lines = [
            f"measured on {self.device}, 1 and 2 of {self.layers} layers at full width, scaled to all: an update of "
            f"{self.work.tokens:,.0f} tokens in rows of {self.work.prompt + self.work.reply:,}",
            f"  forward and backward      {step.seconds:9.2f} s{guess}",
            f"  activations               {step.kept / GB:9.2f} GB, {self.estimated_kept / GB:.2f} GB estimated",
        ]
        if step.peak is not None:
            peak, estimate = step.peak / GB, self.estimated_peak / GB
            lines.append(f"  at its highest            {peak:9.2f} GB beside what stays, {estimate:.2f} GB estimated")
        return lines


def measure_update(plan: Plan, *, depths: tuple[int, int] = DEPTHS) -> MeasuredStep:
    """Measure an update of a plan's recipe at two depths, and scale it to full depth.

    Raises:
        ConfigError: the vision side is trained, or this machine has no memory for the two layers.
    """
    policy = plan.config.policy
    if policy.train_on != "language":
        raise ConfigError("--measure reads tokens alone: it needs policy.train_on language")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    rows = max(1, int(plan.work.rows)) if device == "cuda" else 1
    work = replace(plan.work, rows=rows, group=1)
    shallow, deep = (_measured(plan, at_depth(plan.base, layers), work, device) for layers in depths)
    layers = plan.shape.language.layers

    def scaled(first: float, second: float) -> float:
        return first + (second - first) / (depths[1] - depths[0]) * (layers - depths[0])

    needed = memory_estimate.update(plan.shape, work)
    return MeasuredStep(
        device=torch.cuda.get_device_name() if device == "cuda" else f"a CPU with {torch.get_num_threads()} threads",
        layers=layers,
        work=work,
        step=Step(
            scaled(shallow.seconds, deep.seconds),
            scaled(shallow.kept, deep.kept),
            None if shallow.peak is None or deep.peak is None else scaled(shallow.peak, deep.peak),
        ),
        estimated_kept=needed["activations"],
        estimated_peak=sum(needed.values()),
        estimated_seconds=_estimated_seconds(plan, work),
    )


def at_depth(config: Any, layers: int) -> Any:
    """A configuration with that many layers in the decoder, and one in the vision encoder, which is not run."""
    config = deepcopy(config)
    text, vision = config.get_text_config(decoder=True), config.vision_config
    text.num_hidden_layers = layers
    if getattr(text, "layer_types", None):
        text.layer_types = text.layer_types[:layers]
    setattr(vision, "depth" if hasattr(vision, "depth") else "num_hidden_layers", 1)
    for name in ("fullatt_block_indexes", "deepstack_visual_indexes"):
        if hasattr(vision, name):
            setattr(vision, name, [0])
    return config


def _measured(plan: Plan, config: Any, work: Work, device: str) -> Step:
    """A step of the model of a configuration."""
    policy = plan.config.policy
    dtype = torch.float32 if work.weight_bytes == 4 else torch.bfloat16
    _check_room(config, policy, work, device)
    with torch.device(device):
        model = AutoModelForImageTextToText.from_config(
            config, dtype=dtype, trust_remote_code=policy.trust_remote_code, **policy.backend
        )
    adapter = new_adapter(model, policy)
    add_fused_head(model)
    trained = model if adapter is None else get_peft_model(model, adapter)
    if work.is_checkpointed:
        model.gradient_checkpointing_enable({"use_reentrant": False})
        model.enable_input_require_grads()
    try:
        return _timed(trained.train(), config, work, device)
    finally:
        del model, trained
        free_memory()


def _timed(model: Any, config: Any, work: Work, device: str) -> Step:
    columns, words = work.prompt + work.reply, config.get_text_config(decoder=True).vocab_size
    generator = torch.Generator().manual_seed(0)
    # The first tokens of a vocabulary are words, and the special ones, such as an image's, stand at its end.
    ids = torch.randint(words // 4, words // 2, (int(work.rows), columns), generator=generator).to(device)
    mask = torch.ones_like(ids)
    mask[:, 0] = 0  # rows of different lengths are padded, and then attention has a mask
    labels = ids.clone()
    labels[:, : work.prompt] = -100
    own = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    kept: dict[int, tuple[int, Any]] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = (storage.nbytes(), storage)  # held, so that no other comes to the same place
        return tensor

    def step(hooks: Any) -> tuple[float, float | None]:
        if device == "cuda":
            torch.cuda.synchronize()
            torch.cuda.reset_peak_memory_stats()
            stays = torch.cuda.memory_allocated()
        began = time.perf_counter()
        with hooks, torch.autocast(device, torch.bfloat16, enabled=work.is_mixed):
            out = model(input_ids=ids, attention_mask=mask, shift_labels=labels, fused_lm_head=True, use_cache=False)
        out.log_probs[:, -work.reply :].mean().backward()
        if device == "cuda":
            torch.cuda.synchronize()
        seconds = time.perf_counter() - began
        model.zero_grad(set_to_none=False)
        return seconds, float(torch.cuda.max_memory_allocated() - stays) if device == "cuda" else None

    step(torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor))
    held = float(sum(size for size, _ in kept.values()))
    kept.clear()
    times = [step(nullcontext())]
    while len(times) < TIMES and sum(seconds for seconds, _ in times) < SECONDS:
        times.append(step(nullcontext()))
    return Step(min(seconds for seconds, _ in times), held, times[-1][1])


def _check_room(config: Any, policy: PolicyConfig, work: Work, device: str) -> None:
    with torch.device("meta"):
        model = AutoModelForImageTextToText.from_config(config, trust_remote_code=policy.trust_remote_code)
    shape = memory_estimate.Shape.of(model, policy)
    needed = shape.parameters * work.weight_bytes + 8 * shape.trained + 2 * sum(memory_estimate.update(shape, work).values())
    free = torch.cuda.mem_get_info()[0] if device == "cuda" else psutil.virtual_memory().available
    if needed > free:
        raise ConfigError(
            f"{shape.language.layers} layers of {policy.base} at full width need {needed / GB:.1f} GB, and "
            f"{free / GB:.1f} GB are free: leave --measure out, or run it on a machine with more memory"
        )


def _estimated_seconds(plan: Plan, work: Work) -> float | None:
    """As :mod:`vision_zero.policy.throughput_estimate` counts operations; None where the device's data sheet is not known."""
    gpu = own_gpu()
    if gpu is None:
        return None
    passes = 4 + 2 * work.is_checkpointed + 2 * plan.shape.is_full
    return passes * plan.shape.parameters * work.tokens / (USED * gpu.operations)

"""Out-of-memory errors as one line that names the phase and the setting to change.

The stage is discarded then: policy and state are those that it started from, so the same command continues from there.
"""

from __future__ import annotations

import gc
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import torch

from vision_zero.config.learning import LearningConfig
from vision_zero.config.policy import PolicyConfig
from vision_zero.errors import TrainingError

Phase = Literal["load", "play", "vote", "reference", "update"]
_DOING: dict[Phase, str] = {
    "load": "loading the policy",
    "play": "playing",
    "vote": "voting",
    "reference": "scoring replies",
    "update": "training",
}


@contextmanager
def out_of_memory_named(phase: Phase, policy: PolicyConfig, learning: LearningConfig) -> Iterator[None]:
    """Context in which an out-of-memory error becomes a ``TrainingError`` that names the phase, unless it is one already.

    Raises:
        TrainingError: no memory is left.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise TrainingError(
            f"out of memory while {_DOING[phase]}: {_advice(phase, policy, learning)}; nothing of this stage is kept, what it "
            "began from stands, and vision-zero plan says beforehand what fits"
        ) from error


class PhaseTimer:
    """Measures the seconds of an iteration's phases, and names the phase if memory runs out in it.

    Attributes:
        seconds: by phase, since they were last cleared.
    """

    def __init__(self, policy: PolicyConfig, learning: LearningConfig) -> None:
        self.policy, self.learning = policy, learning
        self.seconds: dict[Phase, float] = {}

    @contextmanager
    def __call__(self, phase: Phase) -> Iterator[None]:
        """Context of a phase."""
        began = time.perf_counter()
        try:
            with out_of_memory_named(phase, self.policy, self.learning):
                yield
        finally:
            self.seconds[phase] = self.seconds.get(phase, 0.0) + time.perf_counter() - began


def free_memory() -> None:
    """Free a finished trainer, which reference cycles keep alive with model and optimiser until the next garbage collection.

    On a GPU that would be too late: the next stage or another process loads its model earlier, and other processes cannot use
    memory that torch has cached here.
    """
    with _signals_waiting():
        gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


@contextmanager
def _signals_waiting() -> Iterator[None]:
    """Context that delays SIGINT and SIGTERM: Python ignores exceptions that are raised in a finalizer."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []

    def note(number: int, frame: Any) -> None:
        came.append(number)

    previous = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
    for waited in came:
        signal.raise_signal(waited)


def is_out_of_memory(error: BaseException) -> bool:
    """Is it an out-of-memory error? CUDA has an error class for it; on a CPU torch raises a RuntimeError with a message."""
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "can't allocate memory" in str(error)


def _advice(phase: Phase, policy: PolicyConfig, learning: LearningConfig) -> str:
    size = policy.sampling.batch_size
    if phase in ("play", "vote") and size > 1:
        return f"lower policy.sampling.batch_size (now {size})"
    fewer = f"lower learning.tokens_per_step (now {learning.tokens_per_step})"
    if phase == "update" and not learning.gradient_checkpointing:
        return f"set learning.gradient_checkpointing: true, or {fewer}"
    if phase in ("update", "reference") and learning.tokens_per_step > 1:
        return fewer
    if policy.adapter is None:
        return "train an adapter (policy.adapter) instead of all weights, or take a smaller policy.base"
    if policy.dtype == "float32":
        return "set policy.dtype: bfloat16, or take a smaller policy.base"
    return "take a smaller policy.base, or a GPU with more memory"

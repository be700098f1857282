"""Speed and memory of the sources of pairs: several processes make pairs and write them as parquet files."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from vision_zero.data.shards import ShardWriter, write_pairs
from vision_zero.domains.order import Order
from vision_zero.domains.registry import FIRST, domain_of
from vision_zero.hardware import hardware
from vision_zero.randomness import Seed
from vision_zero.report.render_pairs import render_into, source_for

SETTLED = 0.5
"""Memory is measured after this share of the pairs and again at the end, to see whether it grows."""
ROWS_PER_FILE = 500


@dataclass(frozen=True)
class _WorkerShare:
    """Measurements of one process."""

    began: float
    ended: float
    cpu_s: float
    settled_mb: float
    peak_mb: float


def measure_sources(domains: Sequence[str], sizes: Sequence[tuple[int, int]], pairs: int, processes: int) -> dict[str, Any]:
    """Measure each domain at each size.

    Args:
        pairs: number of pairs of each process, after a first one that is not counted.

    Returns:
        JSON data: the machine, and per domain and size ``pairs_per_s`` (all processes together), ``cpu_s_per_image``,
        ``peak_mb`` of one process and ``peak_mb_at_half`` of its pairs.

    Raises:
        PairsError: a domain does not support a size.
    """
    return {
        "machine": hardware(),
        "processes": processes,
        "pairs_per_process": pairs,
        "results": [
            {"domain": domain, "size": f"{size[0]}x{size[1]}", **_measured(domain, size, pairs, processes)}
            for domain in domains
            for size in sizes
        ],
    }


def _measured(domain: str, size: tuple[int, int], pairs: int, processes: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="vision-zero-bench-") as folder:
        order = Order(domain, pairs, size)
        if domain_of(domain).needs_location:
            # What is read are pairs of another domain; decoding and resizing them is what is measured.
            render_into(Path(folder) / "existing", Order(FIRST, min(pairs, 16), size))
            (Path(folder) / "existing" / "pairs.parquet").unlink()
            order = replace(order, location=str(Path(folder) / "existing"))
        context = get_context("spawn")
        together = context.Barrier(processes)
        with ProcessPoolExecutor(processes, mp_context=context, initializer=_prepare, initargs=(together,)) as pool:
            shares = [*pool.map(_make, [replace(order, seed=seed) for seed in range(processes)], [folder] * processes)]
    seconds = max(share.ended for share in shares) - min(share.began for share in shares)
    made = pairs * processes
    return {
        "pairs_per_s": round(made / seconds, 1),
        "cpu_s_per_image": round(sum(share.cpu_s for share in shares) / (2 * made), 4),
        "peak_mb_at_half": round(max(share.settled_mb for share in shares), 1),
        "peak_mb": round(max(share.peak_mb for share in shares), 1),
    }


_together: Barrier | None = None


def _prepare(together: Barrier) -> None:
    global _together  # noqa: PLW0603 - the only way to hand a barrier to the processes of a pool
    _together = together


def _make(order: Order, folder: str) -> _WorkerShare:
    """Make and write pairs, starting when all processes are ready."""
    source, seed = source_for(order), Seed(order.seed).child("bench", order.domain)
    source.sample(seed.child("warm-up"))
    settled = [0.0]

    def made() -> Any:
        for number in range(order.count):
            yield number, source.sample(seed.child(number))
            if number + 1 == int(SETTLED * order.count):
                settled[0] = _peak_mb()

    assert _together is not None
    _together.wait()
    began, cpu = time.time(), time.process_time()
    with ShardWriter(Path(folder) / f"made-{order.seed}", "pairs", ROWS_PER_FILE) as writer:
        write_pairs(made(), "train", writer)
    return _WorkerShare(began, time.time(), time.process_time() - cpu, settled[0], _peak_mb())


def _peak_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)

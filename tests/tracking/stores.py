"""What trackers hold, read back by each one's own reader: scalars by name and step, and tables."""

from __future__ import annotations

import json
import os
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

TRACKERS = ("tensorboard", "mlflow", "wandb", "trackio")
Points = list[tuple[int, float]]


@dataclass
class Stored:
    """One tracker's content.

    Attributes:
        runs: how many runs there are.
        scalars: points by the name without transformers' prefix ("train/", or none in MLflow; "eval/", "eval_").
        tables: text or rows by step.
    """

    runs: int
    train: dict[str, Points] = field(default_factory=lambda: defaultdict(list))
    eval: dict[str, Points] = field(default_factory=lambda: defaultdict(list))
    tables: dict[str, Any] = field(default_factory=dict)


def read(tracker: str, folder: Path, model: str) -> Stored:
    """Everything that a tracker has of a model's run; what it wrote is below ``folder``."""
    return {"tensorboard": _tensorboard, "mlflow": _mlflow, "wandb": _wandb, "trackio": _trackio}[tracker](folder, model)


def importorskip(tracker: str) -> None:
    """Skip the test where the tracker is not installed, or fail where all have to be."""
    if os.environ.get("REQUIRE_TRACKERS"):
        import_module(tracker)
    pytest.importorskip(tracker, reason=f"{tracker} is not in this environment: make test-trackers installs it")


def _tensorboard(folder: Path, model: str) -> Stored:
    from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer

    runs = EventMultiplexer(size_guidance={"scalars": 0, "tensors": 0}).AddRunsFromDirectory(str(folder / "tensorboard"))
    runs.Reload()
    stored = Stored(len(runs.Runs()))
    for run in runs.Runs():
        for name in runs.Runs()[run]["scalars"]:
            kind, _, rest = name.partition("/")
            getattr(stored, kind)[rest] = [(event.step, event.value) for event in runs.Scalars(run, name)]
        for name in runs.Runs()[run]["tensors"]:
            stored.tables[name.removesuffix("/text_summary")] = {
                event.step: event.tensor_proto.string_val[0].decode() for event in runs.Tensors(run, name)
            }
    return stored


def _mlflow(folder: Path, model: str) -> Stored:
    from mlflow import MlflowClient

    client = MlflowClient(os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{folder / 'mlflow' / 'mlflow.db'}")
    runs = client.search_runs([experiment.experiment_id for experiment in client.search_experiments()])
    stored = Stored(len(runs))
    for run in runs:
        for name in run.data.metrics:
            kind, rest = ("eval", name.removeprefix("eval_")) if name.startswith("eval_") else ("train", name)
            getattr(stored, kind)[rest] = [
                (point.step, point.value) for point in client.get_metric_history(run.info.run_id, name)
            ]
        for top in client.list_artifacts(run.info.run_id):
            for file in client.list_artifacts(run.info.run_id, top.path) if top.is_dir else ():
                step = int(Path(file.path).stem.removeprefix("iteration-"))
                local = client.download_artifacts(run.info.run_id, file.path)
                stored.tables.setdefault(top.path, {})[step] = json.loads(Path(local).read_text())["data"]
    return stored


def _wandb(folder: Path, model: str) -> Stored:
    stored = Stored(0)
    ids = set()
    for file in sorted((folder / "wandb").glob("offline-run-*/run-*.wandb")):
        for record in _ended(file):
            if record.HasField("run"):
                ids.add(record.run.run_id)
            if not record.HasField("history"):
                continue
            row = {"/".join(item.nested_key): json.loads(item.value_json) for item in record.history.item}
            step = int(row["train/global_step"])
            for name, value in row.items():
                kind, _, rest = name.partition("/")
                if rest == "path":
                    stored.tables.setdefault(kind, {})[step] = json.loads((file.parent / "files" / value).read_text())["data"]
                elif kind in ("train", "eval"):
                    getattr(stored, kind)[rest].append((step, value))
    stored.runs = len(ids)
    return stored


def _ended(file: Path, seconds: float = 60) -> list[Any]:
    """The records of a run, once W&B's service, a process of its own, has written the last one."""
    deadline = time.monotonic() + seconds
    while True:
        records = list(wandb_records(file))
        if any(record.HasField("exit") for record in records):
            return records
        assert time.monotonic() < deadline, f"W&B did not end {file.name} within {seconds:g} s"
        time.sleep(0.1)


def wandb_records(file: Path) -> Iterator[Any]:
    """The records of a ``.wandb`` file: LevelDB's log of blocks of 32 KiB after a header of 7 bytes, with protobuf inside."""
    from wandb.proto.wandb_internal_pb2 import Record

    data, place, parts = file.read_bytes(), 7, []
    while place + 7 <= len(data):
        left = 32768 - place % 32768
        if left < 7:
            place += left
            continue
        length, kind = int.from_bytes(data[place + 4 : place + 6], "little"), data[place + 6]
        parts.append(data[place + 7 : place + 7 + length])
        place += 7 + length
        if kind in (1, 4):  # whole, or the last part
            yield Record.FromString(b"".join(parts))
            parts = []


def _trackio(folder: Path, model: str) -> Stored:
    from trackio.sqlite_storage import SQLiteStorage

    stored = Stored(len(SQLiteStorage.get_runs("vision-zero")))
    for row in SQLiteStorage.get_logs("vision-zero", model):
        for name, value in row.items():
            kind, _, rest = name.partition("/")
            if isinstance(value, dict):
                stored.tables.setdefault(name, {})[row["step"]] = value["_value"]
            elif kind in ("train", "eval"):
                getattr(stored, kind)[rest].append((row["step"], value))
    return stored

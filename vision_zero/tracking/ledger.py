"""The last iterations that were sent, kept in a file, for trackers that cannot be asked for them while offline."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from vision_zero.atomic_dir import write_atomically
from vision_zero.config.tracking import TrackedRun, TrackerName


@dataclass(frozen=True)
class Ledger:
    """One file a tracker and model, ``<runs folder>/tracking/<model>.<tracker>.json``; without it everything is sent anew."""

    path: Path

    @classmethod
    def of(cls, run: TrackedRun, tracker: TrackerName, run_id: str) -> Ledger:
        return cls(Path(run.folder) / "tracking" / f"{run_id}.{tracker}.json")

    def last(self, kind: str) -> int:
        """The last iteration of that kind that was sent; 0 for none."""
        return int(self._read().get(kind, 0))

    def put(self, kind: str, iteration: int) -> None:
        """Remember an iteration."""
        write_atomically(self.path, json.dumps(self._read() | {kind: iteration}))

    def _read(self) -> dict[str, int]:
        if not self.path.is_file():
            return {}
        found: dict[str, int] = json.loads(self.path.read_text(encoding="utf-8"))
        return found

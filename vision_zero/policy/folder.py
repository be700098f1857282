"""A trained policy on disk: adapter or full weights, training state, and a model card. No pickle.

Artifacts are not trusted: only files with known names are accepted, and none that can be executed.
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from vision_zero.atomic_dir import atomic_dir
from vision_zero.errors import PolicyError

ADAPTER_FILES = ("adapter_model.safetensors", "adapter_config.json")
ORIGIN = "origin.json"
TRAINING_FILES = ("optimizer.safetensors", "optimizer.json", "scheduler.json", "trainer_state.json")
CARD = "README.md"
POLICY_FILES = (*ADAPTER_FILES, ORIGIN, *TRAINING_FILES, CARD)
"""All files of an adapter's folder."""
CONFIG = "config.json"
_WHOLE = re.compile(r"config\.json|generation_config\.json|model(-\d{5}-of-\d{5})?\.safetensors|model\.safetensors\.index\.json")
"""Files of a fully fine-tuned model; large ones have several."""


def is_policy_file(name: str) -> bool:
    """Whether a file of that name may be in a trained policy's folder."""
    return name in POLICY_FILES or _WHOLE.fullmatch(name) is not None


@dataclass(frozen=True, slots=True)
class PolicyFolder:
    """The folder of a trained policy; ``path`` None is the base without any training."""

    path: Path | None

    @property
    def is_full(self) -> bool:
        """Whether the folder has full weights instead of an adapter."""
        return self.path is not None and is_full(self.path)

    def checked(self) -> PolicyFolder:
        """This folder, if training can continue from it.

        Raises:
            PolicyError: a file is missing.
        """
        if self.path is not None:
            weights = (CONFIG, *shards(self.path)) if self.is_full else ADAPTER_FILES
            missing = [name for name in (*weights, *TRAINING_FILES) if not (self.path / name).is_file()]
            if missing:
                raise PolicyError(f"{self.path} is not a trained policy: it has no {', '.join(missing)}")
        return self

    def files(self) -> tuple[str, ...]:
        """Names of the policy's existing files, in a fixed order."""
        if self.path is None:
            return ()
        if not self.is_full:
            return tuple(name for name in POLICY_FILES if (self.path / name).is_file())
        return tuple(sorted(path.name for path in self.path.iterdir() if path.is_file() and is_policy_file(path.name)))

    def weights(self) -> tuple[str, ...]:
        """Names of the files that determine replies; the others are provenance and training state."""
        return tuple(name for name in self.files() if name in ADAPTER_FILES or _WHOLE.fullmatch(name))

    def copy_to(self, target: Path) -> PolicyFolder:
        """Copy the folder to ``target`` atomically, replacing an older copy."""
        if self.path is None:
            return self
        with atomic_dir(target) as fresh:
            for name in self.files():
                shutil.copyfile(self.path / name, fresh / name)
        return PolicyFolder(target)


def is_full(folder: Path) -> bool:
    """Whether a trained policy's folder has full weights instead of an adapter."""
    return (folder / CONFIG).is_file() and not (folder / ADAPTER_FILES[1]).is_file()


def shards(folder: Path) -> tuple[str, ...]:
    """Names of the weight files of a full model.

    Raises:
        PolicyError: their index is broken.
    """
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return ("model.safetensors",)
    try:
        return tuple(sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())))
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise PolicyError(f"{index} does not list the files of weights: {error}") from error


@dataclass(frozen=True, slots=True)
class BaseFolder:
    """The folder of a full model: safetensors, JSON and text files, without subfolders."""

    path: Path

    def files(self) -> tuple[str, ...]:
        """Names of the files, sorted.

        Raises:
            PolicyError: a file could contain code.
        """
        names = sorted(path.name for path in self.path.iterdir() if path.is_file())
        for name in names:
            self.check_name(name)
        return tuple(names)

    @staticmethod
    def check_name(name: str) -> None:
        """Refuse a name that leaves the folder or that could hold code.

        Raises:
            PolicyError: it is such a name.
        """
        if Path(name).name != name or not name.endswith((".safetensors", ".json", ".jinja", ".md", ".txt")):
            raise PolicyError(f"{name!r} may not be in a policy's folder: only safetensors, JSON, templates and text may")

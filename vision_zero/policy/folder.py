"""A trained policy on disk: the adapter, the state that training continues from, and a card. Never a pickle.

An artifact from elsewhere is not trusted: only files of known names are taken, none of them executable.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from vision_zero.errors import PolicyError
from vision_zero.whole import whole_folder

ADAPTER_FILES = ("adapter_model.safetensors", "adapter_config.json")
TRAINING_FILES = ("optimizer.safetensors", "optimizer.json", "scheduler.json", "trainer_state.json")
CARD = "README.md"
POLICY_FILES = (*ADAPTER_FILES, *TRAINING_FILES, CARD)


@dataclass(frozen=True, slots=True)
class PolicyFolder:
    """A folder with exactly the files of a trained policy; ``path`` None stands for the bare base, nothing trained yet."""

    path: Path | None

    def checked(self) -> PolicyFolder:
        """This folder, if training can continue from it.

        Raises:
            PolicyError: a file is missing.
        """
        if self.path is not None:
            missing = [name for name in (*ADAPTER_FILES, *TRAINING_FILES) if not (self.path / name).is_file()]
            if missing:
                raise PolicyError(f"{self.path} is not a trained policy: it has no {', '.join(missing)}")
        return self

    def files(self) -> tuple[str, ...]:
        """Names of the policy's files that are there, in a fixed order."""
        return () if self.path is None else tuple(name for name in POLICY_FILES if (self.path / name).is_file())

    def copy_to(self, target: Path) -> PolicyFolder:
        """A copy in ``target`` that appears there whole or not at all; an older copy is replaced."""
        if self.path is None:
            return self
        with whole_folder(target) as fresh:
            for name in self.files():
                shutil.copyfile(self.path / name, fresh / name)
        return PolicyFolder(target)


@dataclass(frozen=True, slots=True)
class BaseFolder:
    """The folder of a whole model: safetensors, JSON and text files at its top, nothing else."""

    path: Path

    def files(self) -> tuple[str, ...]:
        """Names of the files, sorted.

        Raises:
            PolicyError: a file is of a kind that could be executed.
        """
        names = sorted(path.name for path in self.path.iterdir() if path.is_file())
        for name in names:
            self.check_name(name)
        return tuple(names)

    @staticmethod
    def check_name(name: str) -> None:
        """Refuse a name that leaves the folder or that could hold code.

        Raises:
            PolicyError: it does.
        """
        if Path(name).name != name or not name.endswith((".safetensors", ".json", ".jinja", ".md", ".txt")):
            raise PolicyError(f"{name!r} may not be in a policy's folder: only safetensors, JSON, templates and text may")

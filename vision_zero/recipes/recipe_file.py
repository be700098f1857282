"""Reads recipe files: YAML without duplicate keys, objects or credentials, and the recipe that a file extends."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from vision_zero.config_base import merged
from vision_zero.credentials import refuse_credentials, refuse_credentials_in_text
from vision_zero.errors import ConfigError

EXTENDS = "extends"
"""Key of the recipe that a file changes."""
_MERGE = "tag:yaml.org,2002:merge"


@dataclass(frozen=True)
class Recipe:
    """A recipe file that has been read.

    Attributes:
        settings: its mapping, merged over that of the file which its key ``extends`` names.
        extends_another: it has that key.
    """

    path: Path
    settings: dict[str, Any]
    extends_another: bool

    @property
    def config(self) -> dict[str, Any]:
        """The settings of the run, as they are written; empty without any.

        Raises:
            ConfigError: they are no mapping.
        """
        config = self.settings.get("parameters") or {}
        if isinstance(config, dict):
            config = config.get("config") or {}
        if not isinstance(config, dict):
            raise ConfigError(f"{self.path}: parameters.config must be a mapping of settings")
        return config


def read_yaml(path: Path) -> dict[str, Any]:
    """The settings of :func:`read_recipe`."""
    return read_recipe(path).settings


def read_recipe(path: Path, extended_by: tuple[Path, ...] = ()) -> Recipe:
    """Read a file, and the one which its key ``extends`` names, relative to its folder.

    Tags that construct objects are refused, and so are values that look like credentials.

    Raises:
        ConfigError: there is no such file, it is not a YAML mapping, it contains a credential, or it extends itself.
    """
    text = _text(path)
    try:
        data = parse_yaml(text)
    except DuplicateKeyError as error:
        refuse_credentials_in_text(text, str(path))
        raise ConfigError(f"{path}: {error.problem}: keep one of them") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ConfigError(f"{path} is not YAML: {_complaint(error)}") from None
    refuse_credentials(data, str(path))
    refuse_credentials_in_text(text, str(path))
    if not isinstance(data, dict):
        raise ConfigError(f"{path} holds no settings: it must be a mapping with the key parameters")
    extended = data.pop(EXTENDS, None)
    if extended is None:
        return Recipe(path, data, extends_another=False)
    if not isinstance(extended, str):
        raise ConfigError(f"{path}: {EXTENDS} must be the path of one recipe, relative to this file")
    below = path.parent / extended
    if below.resolve() in (seen := (*extended_by, path.resolve())):
        raise ConfigError(f"{path}: {EXTENDS} {extended} leads back to this recipe: leave it out")
    return Recipe(path, merged(read_recipe(below, seen).settings, data), extends_another=True)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error


def _complaint(error: Exception) -> str:
    """PyYAML's message without its quotation from the file, which may be a password."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        problem = "a value contains itself" if "recursive" in str(error.problem) else error.problem
        return f"{problem} in line {error.problem_mark.line + 1}"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return "it holds a character or a value that YAML does not allow"


class DuplicateKeyError(yaml.constructor.ConstructorError):
    """A mapping has a key twice."""


class UniqueKeyLoader(yaml.SafeLoader):
    """``yaml.SafeLoader`` that refuses duplicate keys, of which PyYAML takes the last. Keys merged by ``<<`` may be
    overridden."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        first: dict[Hashable, int] = {}
        for key_node, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            key = None if key_node.tag == _MERGE else self.construct_object(key_node, deep=True)
            if key is None or not isinstance(key, Hashable):
                continue
            line = key_node.start_mark.line + 1
            if key in first:
                problem = f"the key {key} stands in lines {first[key]} and {line}, and only the last would count"
                raise DuplicateKeyError(problem=problem, problem_mark=key_node.start_mark)
            first[key] = line
        return super().construct_mapping(node, deep)


def parse_yaml(text: str) -> Any:
    """Parse a YAML text.

    Raises:
        DuplicateKeyError: a mapping has a key twice.
        yaml.YAMLError: the text is not YAML, has tags that construct objects, or a value contains itself.
    """
    loader = UniqueKeyLoader(text)
    try:
        node = loader.get_single_node()
        # Deep: a value that contains itself is an error then.
        return None if node is None else loader.construct_object(node, deep=True)
    finally:
        loader.dispose()

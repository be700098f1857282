"""YAML parser that refuses duplicate keys in a mapping, of which PyYAML silently takes the last, and values that contain
themselves."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import yaml

_MERGE = "tag:yaml.org,2002:merge"


class DuplicateKeyError(yaml.constructor.ConstructorError):
    """A mapping has a key twice."""


class UniqueKeyLoader(yaml.SafeLoader):
    """``yaml.SafeLoader`` that refuses duplicate keys. Keys merged by ``<<`` may be overridden."""

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
        _refuse_cycles(node, set(), set())
        return None if node is None else loader.construct_document(node)
    finally:
        loader.dispose()


def _refuse_cycles(node: yaml.Node | None, around: set[int], done: set[int]) -> None:
    """Raise where an alias stands within what it names ("&a [*a]")."""
    if not isinstance(node, yaml.CollectionNode) or id(node) in done:
        return
    if id(node) in around:
        raise yaml.constructor.ConstructorError(problem="a value contains itself", problem_mark=node.start_mark)
    around.add(id(node))
    for part in node.value:
        for inner in part if isinstance(part, tuple) else (part,):
            _refuse_cycles(inner, around, done)
    around.remove(id(node))
    done.add(id(node))

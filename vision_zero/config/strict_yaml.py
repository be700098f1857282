"""YAML parser that refuses duplicate keys in a mapping, of which PyYAML silently takes the last."""

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
        yaml.YAMLError: the text is not YAML, or has tags that construct objects.
    """
    return yaml.load(text, Loader=UniqueKeyLoader)

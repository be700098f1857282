"""Options whose choices are registered somewhere: the registry is loaded when one is used, or its help is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import click


class Registered(click.ParamType[str]):
    """A registered name.

    Args:
        names: loads the registry and returns the names in it.
    """

    name = "name"

    def __init__(self, names: Callable[[], Iterable[str]]) -> None:
        self._names = names

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return f"[{'|'.join(self._names())}]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        names = tuple(self._names())
        if value not in names:
            self.fail(f"{value!r} is not one of {', '.join(map(repr, names))}.", param, ctx)
        return str(value)


def domains() -> Iterable[str]:
    """The domains of pairs."""
    from vision_zero.domains.registry import DOMAINS

    return DOMAINS


def first_domain() -> str:
    """What is drawn where nothing else is asked for."""
    return next(iter(domains()))

"""What options of the commands have in common: names of a registry, numbers, sizes, and options that would be ignored."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import isfinite
from typing import Any

import click
from click.core import ParameterSource


class Registered(click.ParamType[str]):
    """A registered name: the registry is loaded when one is used, or its help is asked for.

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


class Number(click.FloatRange):
    """A number; click's own takes ``nan`` for one of every range, and ``inf`` for one of every open range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(super().convert(value, param, ctx))
        if not isfinite(number):
            self.fail(f"{value!r} is not a number", param, ctx)
        return number


class Size(click.ParamType[tuple[int, int]]):
    """A width and height such as 320x240."""

    name = "WxH"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        width, _, height = str(value).lower().partition("x")
        if not (width.isdecimal() and height.isdecimal()):
            self.fail(f"{value!r} is not a size like 320x240", param, ctx)
        return int(width), int(height)


def refuse_beside(chosen: str, *read: str) -> None:
    """Refuse options of the command that were given although it would ignore them.

    Args:
        chosen: the option because of which they are ignored, for the message.
        read: names of the parameters that count beside it, and its own.

    Raises:
        click.UsageError: another one was given.
    """
    context = click.get_current_context()
    for parameter in context.command.params:
        name = str(parameter.name)
        if name not in read and context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"{parameter.opts[0]} has no effect beside {chosen}: leave it out")

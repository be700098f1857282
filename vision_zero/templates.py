"""Templates of text that is no HTML: prompts and cards."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template


@cache
def text_template(package: str, name: str) -> Template:
    """A template of a package's folder ``templates``; nothing is escaped, and a value that is missing is an error."""
    return Environment(loader=PackageLoader(package), undefined=StrictUndefined, autoescape=False).get_template(name)

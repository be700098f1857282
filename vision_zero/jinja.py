"""Templates of text that is no HTML: prompts and cards."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from vision_zero.text import well_formed


@dataclass(frozen=True)
class TextTemplate:
    """A template whose text can be written and tokenized whatever it was filled with."""

    template: Template

    def render(self, **content: Any) -> str:
        """The text, filled in."""
        return well_formed(self.template.render(**content))


@cache
def text_template(package: str, name: str) -> TextTemplate:
    """A template of a package's folder ``templates``; nothing is escaped, and a value that is missing is an error."""
    environment = Environment(loader=PackageLoader(package), undefined=StrictUndefined, autoescape=False)
    return TextTemplate(environment.get_template(name))

"""Templates for text other than HTML: prompts and model cards."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from vision_zero.text import well_formed


@dataclass(frozen=True)
class TextTemplate:
    """A template whose output is always well-formed Unicode."""

    template: Template

    def render(self, **content: Any) -> str:
        """The rendered text."""
        return well_formed(self.template.render(**content))


@cache
def text_template(package: str, name: str) -> TextTemplate:
    """A template from a package's folder ``templates``; nothing is escaped, and a missing value is an error."""
    environment = Environment(loader=PackageLoader(package), undefined=StrictUndefined, autoescape=False)
    return TextTemplate(environment.get_template(name))

"""Renders pages: templates with autoescape, an inline style sheet, images as data URIs.

All model output and file content passes through autoescape; only this project's own SVG and style sheet are marked safe.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from vision_zero.text import well_formed


def render_page(template: str, **content: Any) -> str:
    """The template rendered as one HTML document."""
    return well_formed(_environment().get_template(template).render(**content))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("vision_zero.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    loader = environment.loader
    assert loader is not None
    environment.globals["style"] = Markup(loader.get_source(environment, "style.css")[0])
    environment.filters["percent"] = lambda share: f"{100 * share:.0f} %"
    return environment

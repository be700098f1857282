"""Rendering of pages: templates with autoescape, one style sheet inside, pictures as data URIs.

Everything a model or a file said passes through autoescape; nothing is marked safe but our own SVG and style sheet.
"""

from __future__ import annotations

import base64
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from PIL import Image

from vision_zero.pairs.pictures import png_bytes
from vision_zero.text import well_formed


def render_page(template: str, **content: Any) -> str:
    """The page of that template as one HTML document."""
    return well_formed(_environment().get_template(template).render(**content))


def data_uri(image: Image.Image) -> str:
    """The picture as a URI that needs no file and no network."""
    return "data:image/png;base64," + base64.b64encode(png_bytes(image)).decode("ascii")


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
    environment.filters["picture"] = data_uri
    return environment

"""Docstrings name objects by Sphinx's roles, which editors follow; the site shows the names."""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object

ROLE = re.compile(r":\w+:`~?([^`]+)`")


class WithoutRoles(Extension):
    """``:mod:`vision_zero.game``` becomes ``vision_zero.game``."""

    def on_instance(self, *, obj: Object, **_: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = ROLE.sub(r"`\1`", obj.docstring.value)

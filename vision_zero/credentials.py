"""Refuses credentials in configurations, which ZenML stores with every run and shows to everybody who may see the run.

A value that looks like one is refused, by its key (``password: …``) or by its form (``AKIA…``). The message names its place,
never the value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from vision_zero.errors import ConfigError

_FORMS = (
    r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])",  # AWS
    r"(?<![A-Za-z0-9])hf_[A-Za-z0-9]{16,}",  # Hugging Face
    r"(?<![A-Za-z0-9])sk-(?:[a-z0-9]+-){0,3}(?=[A-Za-z_]*[0-9])[A-Za-z0-9_]{16,}",  # OpenAI and compatible services
    r"(?<![A-Za-z0-9])(?:gh[oprsu]_[A-Za-z0-9]{30,}|github_pat_\w{30,})",  # GitHub
    r"(?<![A-Za-z0-9])AIza[A-Za-z0-9_-]{35}",  # Google
    r"(?<![A-Za-z0-9])eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.",  # JSON web tokens
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    r"AccountKey=[A-Za-z0-9+/]{20,}",  # Azure
    r"""(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{0,20}://[^/\s:@?#]*:[^/\s@"'{}]+@""",  # user:password@ in a URL
    r"[?&](?i:sig|[\w.-]*(?:token|signature|secret|password|api_?key))=[^&\s]+",  # signed URLs
)
_FORM = re.compile("|".join(_FORMS))
_WORDS = frozenset("auth authorization bearer cookie credential credentials passphrase passwd password pwd secret token".split())
_PAIRS = frozenset({("access", "key"), ("account", "key"), ("api", "key"), ("private", "key"), ("secret", "key"), ("key", "id")})
"""The last words of keys that name a credential. Plurals count something: ``max_clue_tokens``."""
_REFERENCE = re.compile(r"\{\{[^{}]+\}\}|\$\{\w+\}|\$[A-Za-z_]\w*")
"""A reference to a credential, which is allowed."""


def refuse_credentials(data: object, source: str = "") -> None:
    """Search nested settings.

    Args:
        data: mappings, lists and plain values; anything else is ignored.
        source: the file they come from.

    Raises:
        ConfigError: a value looks like a credential.
    """
    for place, reason in _found(data, ()):
        raise ConfigError(_message(f"{source}: {place}" if source else place, reason))


def refuse_credentials_in_text(text: str, source: str) -> None:
    """Search the text of a file, including comments, by form only.

    Raises:
        ConfigError: something in it looks like a credential.
    """
    form = _FORM.search(text)
    if form is not None:
        line = text.count("\n", 0, form.start()) + 1
        raise ConfigError(_message(f"{source}: line {line}", "by its form"))


def holds_credential(text: str) -> bool:
    """Whether something in a text looks like a credential by its form."""
    return _FORM.search(text) is not None


def names_credential(key: str) -> bool:
    """Whether a setting of this name would hold a credential."""
    parts = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", key)
    words = re.findall(r"[a-z]+", parts.lower())
    joined = "".join(words)
    return bool(words) and (words[-1] in _WORDS or tuple(words[-2:]) in _PAIRS or joined in ("apikey", "accesskey", "secretkey"))


def _message(place: str, reason: str) -> str:
    return (
        f"{place} looks like a credential {reason}, and a configuration is stored with every run: put it into the environment "
        "(HF_TOKEN, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, the endpoint's key_variable), AWS's own files, or a ZenML secret"
    )


def _found(data: object, place: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Place and reason of each value that looks like a credential."""
    where = ".".join(place) or "the value"
    if isinstance(data, Mapping):
        for key, value in data.items():
            if _has_form(key):
                yield f"a key of {where}", "by its form"
            elif names_credential(str(key)) and _holds_something(value):
                yield ".".join((*place, str(key))), "by its name"
            else:
                yield from _found(value, (*place, str(key)))
    elif isinstance(data, (list, tuple)):
        for number, value in enumerate(data):
            yield from _found(value, (*place, str(number)))
    elif _has_form(data):
        yield where, "by its form"


def _has_form(value: Any) -> bool:
    return isinstance(value, str) and holds_credential(value)


def _holds_something(value: Any) -> bool:
    """Whether a value is more than empty, a boolean, or a reference to a credential."""
    if isinstance(value, str):
        return bool(value.strip()) and _REFERENCE.fullmatch(value.strip()) is None
    if isinstance(value, (list, tuple)):
        return any(_holds_something(part) for part in value)
    return isinstance(value, (int, float, bytes)) and not isinstance(value, bool)

"""What every configuration model has in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from vision_zero.config.credentials import refuse_credentials


class Config(BaseModel):
    """A frozen model; an unknown key is an error; the text under a field is its documentation."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, protected_namespaces=())


class RootConfig(Config):
    """The whole configuration of a pipeline, as its user has written it.

    Raises:
        ConfigError: something in it looks like a credential. It is no ValueError, which pydantic would wrap together with the
            input, credential and all.
    """

    @model_validator(mode="before")
    @classmethod
    def _holds_no_credentials(cls, data: Any) -> Any:
        refuse_credentials(data)
        return data


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Nested settings with others laid over them: mappings are merged, everything else is replaced."""
    result = dict(below)
    for key, value in above.items():
        under = result.get(key)
        result[key] = merged(under, value) if isinstance(under, Mapping) and isinstance(value, Mapping) else value
    return result


def problems(error: ValidationError) -> str:
    """What pydantic found, as one line that names each place."""
    sentences = []
    for problem in error.errors(include_url=False):
        place = ".".join(str(part) for part in problem["loc"])
        text = problem["msg"].removeprefix("Value error, ")
        sentences.append(f"{place}: {'unknown key' if problem['type'] == 'extra_forbidden' else text[:1].lower() + text[1:]}")
    return "; ".join(sentences)

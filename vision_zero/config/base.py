"""Base classes of all configuration models."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from vision_zero.config.credentials import refuse_credentials
from vision_zero.errors import VisionZeroError

Model = TypeVar("Model", bound=BaseModel)
Share = Annotated[float, Field(ge=0.0, le=1.0)]


class Config(BaseModel):
    """A frozen pydantic model: unknown keys are errors, and the string below a field is its documentation."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, protected_namespaces=())


class RootConfig(Config):
    """The configuration of a pipeline, as written in a recipe.

    Raises:
        ConfigError: a value looks like a credential. It is not a ValueError, because pydantic would wrap that together with the
            input, including the credential.
    """

    @model_validator(mode="before")
    @classmethod
    def _holds_no_credentials(cls, data: Any) -> Any:
        refuse_credentials(data)
        return data


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Nested settings, overridden by others: mappings are merged recursively, everything else is replaced."""
    result = dict(below)
    for key, value in above.items():
        under = result.get(key)
        result[key] = merged(under, value) if isinstance(under, Mapping) and isinstance(value, Mapping) else value
    return result


def problems(error: ValidationError) -> str:
    """Pydantic's errors as one line that names the path of each key."""
    sentences = []
    for problem in error.errors(include_url=False):
        place = ".".join(str(part) for part in problem["loc"])
        text = problem["msg"].removeprefix("Value error, ")
        sentence = "unknown key" if problem["type"] == "extra_forbidden" else text[:1].lower() + text[1:]
        sentences.append(f"{place}: {sentence}" if place else sentence)
    return "; ".join(sentences)


def read_json(kind: type[Model], path: Path, error: type[VisionZeroError]) -> Model:
    """The content of a JSON file.

    Raises:
        VisionZeroError: of the kind ``error``: the file cannot be read, or holds something else.
    """
    try:
        return kind.model_validate_json(path.read_bytes())
    except OSError as lost:
        raise error(f"{path} cannot be read: {lost}") from lost
    except ValidationError as invalid:
        raise error(f"{path} holds no {kind.__name__.strip('_')} of this version: {problems(invalid)}") from invalid

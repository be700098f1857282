"""Base classes of all configuration models."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, GetJsonSchemaHandler, ValidationError, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from vision_zero.credentials import refuse_credentials
from vision_zero.errors import ConfigError, VisionZeroError
from vision_zero.text import single_line

Model = TypeVar("Model", bound=BaseModel)
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Weight = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
"""A relative frequency; they are divided by their sum."""


class Config(BaseModel):
    """A frozen pydantic model: unknown keys are errors, and the string below a field is its documentation."""

    # Not use_attribute_docstrings: it looks through all loaded modules for each class, which made each start a second longer.
    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The JSON schema, which ZenML stores with each step, with the documentation of the fields."""
        found = handler(schema)
        properties = handler.resolve_ref_schema(found).get("properties", {})
        for name, text in field_docs(cls).items():
            if name in properties:
                properties[name].setdefault("description", text)
        return found


def field_docs(model: type[BaseModel]) -> dict[str, str]:
    """The documentation of a model's fields by name: ``Field(description=…)``, or else the string below a field."""
    docs: dict[str, str] = {}
    for kind in (kind for kind in reversed(model.__mro__) if issubclass(kind, Config)):
        docs |= _strings_below(kind.__module__).get(kind.__qualname__, {})
    return docs | {name: field.description for name, field in model.model_fields.items() if field.description}


@cache
def _strings_below(module: str) -> dict[str, dict[str, str]]:
    """The strings below the annotated names of each class of a module."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {kind.name: dict(_documented(kind.body)) for kind in tree.body if isinstance(kind, ast.ClassDef)}


def _documented(body: Sequence[ast.stmt]) -> Iterator[tuple[str, str]]:
    for statement, below in pairwise(body):
        match statement, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, inspect.cleandoc(text)


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


def named_in(registry: Mapping[str, Any], what: str) -> AfterValidator:
    """Pydantic's check that a text is the name of something registered; ``what`` says of what, in messages."""

    def check(name: str) -> str:
        if name not in registry:
            raise ValueError(f"{name} is no {what}: {', '.join(registry)} are")
        return name

    return AfterValidator(check)


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Nested settings, overridden by others: mappings are merged recursively, everything else is replaced."""
    result = dict(below)
    for key, value in above.items():
        under = result.get(key)
        result[key] = merged(under, value) if isinstance(under, Mapping) and isinstance(value, Mapping) else value
    return result


_SENTENCES = {"extra_forbidden": "unknown key", "model_type": "must be a mapping of settings"}
"""Pydantic's kinds of errors that have a sentence of their own."""


def problems(error: ValidationError) -> str:
    """Pydantic's errors as one line that names the path of each key."""
    sentences = []
    found = error.errors(include_url=False)
    for problem in found:
        own = problem["loc"]
        if problem["type"] == "too_short" and any(own == other["loc"][: len(own)] != other["loc"] for other in found):
            continue  # pydantic does not count the items that have problems of their own
        place = ".".join(str(part) for part in own if part != "[key]")
        text = problem["msg"].removeprefix("Value error, ")
        sentence = _SENTENCES.get(problem["type"], text[:1].lower() + text[1:])
        sentences.append(f"{place}: {sentence}" if place else sentence)
    return single_line("; ".join(sentences))


def validated(kind: type[Model], settings: Any, what: str = "") -> Model:
    """Settings as a configuration.

    Args:
        what: says in the error what they are.

    Raises:
        ConfigError: a key, type or value in them is wrong.
    """
    try:
        return kind.model_validate(settings)
    except ValidationError as error:
        raise ConfigError(f"{what}: {problems(error)}" if what else problems(error)) from error


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

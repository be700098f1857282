"""What every configuration model has in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, ValidationError


class Config(BaseModel):
    """A frozen model; an unknown key is an error; the text under a field is its documentation."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, protected_namespaces=())


def problems(error: ValidationError) -> str:
    """What pydantic found, as one line that names each place."""
    sentences = []
    for problem in error.errors(include_url=False):
        place = ".".join(str(part) for part in problem["loc"])
        text = problem["msg"].removeprefix("Value error, ")
        sentences.append(f"{place}: {'unknown key' if problem['type'] == 'extra_forbidden' else text[:1].lower() + text[1:]}")
    return "; ".join(sentences)

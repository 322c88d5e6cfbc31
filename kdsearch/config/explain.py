"""Pydantic's findings as one sentence each: the rule, and the nearest thing allowed."""

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from kdsearch.config.models import Config
from kdsearch.errors import did_you_mean
from kdsearch.spaces.marked import Document, Keys

Finding = tuple[Keys, str, bool]
"""Where, what is wrong there, and whether it is the key rather than its value."""

KNOB_VALUES = "values"
"""Pydantic's step for a knob that is no interval."""
FOLLOWING = ("missing", "default_factory_not_called")
"""A key left out: required, or of a default that could not be told from wrong neighbours."""


def findings(errors: Sequence[ErrorDetails], document: Document) -> list[Finding]:
    """What is wrong where; what only follows counts only if nothing that stands is wrong."""
    standing = [error for error in errors if error["type"] not in FOLLOWING]
    return [finding(error, document) for error in standing or errors]


def finding(error: ErrorDetails, document: Document) -> Finding:
    path = written_path(error["loc"], document)
    if error["type"] == "extra_forbidden":
        return path, f"unknown key; {nearest_key(path)}", True
    if error["type"] == "missing":
        return path, f"'{error['loc'][-1]}' is missing", False
    rule = RULES.get(error["type"])
    limits = error.get("ctx", {})
    if error["type"] == "tuple_type" and error["loc"][-1] == KNOB_VALUES:
        return path, "must be a list, for example [a, b], or {low, high, log}", False
    return path, rule(error["input"], limits) if rule else error["msg"], False


def written_path(loc: Keys, document: Document) -> Keys:
    """The location without the steps that Pydantic adds for the members of a union."""
    path: Keys = ()
    found: Any = document.content
    for step in loc:
        try:
            found = found[step]
        except (LookupError, TypeError):
            continue
        path = (*path, step)
    return path


def nearest_key(path: Keys, known: Sequence[str] = ()) -> str:
    """The way out for an unknown key: of the same name in another section, or near it.

    Args:
        known: keys that may stand there; none: those of the section's model.
    """
    wrong = str(path[-1])
    elsewhere = [
        f"{name}.{wrong}"
        for name, field in Config.model_fields.items()
        if wrong in getattr(type(field.default), "model_fields", ())
    ]
    if len(elsewhere) == 1:
        return f"did you mean '{elsewhere[0]}'?"
    return did_you_mean(wrong, known or section(path[:-1]).model_fields)


def section(path: Keys) -> type[BaseModel]:
    """The model that the keys at `path` are checked against."""
    model: type[BaseModel] = Config
    steps = iter(path)
    for step in steps:
        if step in model.model_fields:
            annotation = model.model_fields[str(step)].annotation
            model = models(annotation)[0]
            if get_origin(annotation) is Mapping:
                next(steps, None)  # a name, which a key may be called by, too
    return model


def models(annotation: Any) -> list[type[BaseModel]]:
    """The models inside an annotation like `Input | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in models(inner)]


def whole(value: Any, limits: Mapping[str, Any]) -> str:
    if isinstance(value, float) and value.is_integer():
        return f"must be a whole number; write {int(value)}"
    return f"must be a whole number{unquoted(value)}"


def real(value: Any, limits: Mapping[str, Any]) -> str:
    return f"must be a number{unquoted(value)}"


def unquoted(value: Any) -> str:
    is_number = isinstance(value, str) and re.fullmatch(r"[-+.\d]+(e[-+]?\d+)?", value.strip())
    return "; write it without quotes" if is_number else ""


def one_of(value: Any, limits: Mapping[str, Any]) -> str:
    allowed = re.findall(r"'([^']*)'", limits["expected"])
    return f"unknown; {did_you_mean(str(value), allowed)}"


RULES: Mapping[str, Callable[[Any, Mapping[str, Any]], str]] = MappingProxyType(
    {
        "int_type": whole,
        "float_type": real,
        "bool_type": lambda value, limits: "must be true or false",
        "string_type": lambda value, limits: "must be text; put it in quotes",
        "tuple_type": lambda value, limits: "must be a list, for example [a, b]",
        "model_type": lambda value, limits: "must be a section: keys with values below it",
        "dict_type": lambda value, limits: "must be a section: keys with values below it",
        "mapping_type": lambda value, limits: "must be a section: keys with values below it",
        "invalid_key": lambda value, limits: "a key must be text",
        "literal_error": one_of,
        "greater_than_equal": lambda value, limits: f"must be at least {limits['ge']:.10g}",
        "greater_than": lambda value, limits: f"must be above {limits['gt']:.10g}",
        "less_than": lambda value, limits: f"must be below {limits['lt']:.10g}",
        "less_than_equal": lambda value, limits: f"must be at most {limits['le']:.10g}",
        "finite_number": lambda value, limits: "must be a finite number",
    }
)
"""The sentence for each kind of error that the models can raise."""

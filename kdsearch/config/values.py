"""Kinds of values in a config, each with its bounds."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, PlainValidator, Tag
from pydantic_core import PydanticCustomError


def number(value: Any) -> int | float:
    """Keeps whole numbers whole: a knob's 4 stays 4."""
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < math.inf:
        return value
    raise PydanticCustomError("float_type", "must be a number")


def limit(value: Any) -> int | float | str:
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        return value
    raise PydanticCustomError("limit", "must be a number above 0, or a share like '60%'")


def knob_value(value: Any) -> int | float | str:
    """A number, a name or true/false, as it stands."""
    return value if isinstance(value, str | bool) else number(value)


def spaceless(name: str) -> str:
    """'soften + dist' as 'soften+dist'."""
    return "+".join(part.strip() for part in name.split("+"))


def student_form(value: Any) -> str:
    return "spelt out" if isinstance(value, Mapping) else "end"


Count = Annotated[int, Field(ge=1, le=10**9)]
Threads = Annotated[int, Field(ge=1, le=256)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Share = Annotated[float, Field(ge=0, le=1)]
AboveZero = Annotated[float, Field(gt=0)]
NotBelowZero = Annotated[float, Field(ge=0)]
Limit = Annotated[int | float | str, PlainValidator(limit)]
KnobValue = Annotated[int | float | str, PlainValidator(knob_value)]
MethodName = Annotated[str, AfterValidator(spaceless)]
StudentChoice = Annotated[
    Annotated[Literal["smallest", "largest"], Tag("end")]
    | Annotated[Mapping[str, KnobValue], Tag("spelt out")],
    Discriminator(student_form),
]
"""Whether it is one of the space shows later."""

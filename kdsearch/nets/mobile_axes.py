"""The axes of family `mobile`: what a space has to say, and the blocks an architecture means.

Elastic kernel, expansion and depth: Cai et al., 2020, arXiv:1908.09791, sec. 3.1.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from kdsearch.core.records import Architecture
from kdsearch.core.space import Choice, Space, Value
from kdsearch.errors import UserError, did_you_mean
from kdsearch.nets.inverted_bottleneck import Shape
from kdsearch.nets.resolution import AXIS as RESOLUTION

TRANSFORM = "kernel_transform"
STAGES = range(2, 7)
KERNELS = (3, 5, 7)
SQUEEZING = 2
"""So many stages, the last ones, have squeeze-and-excitation."""


class Rule(NamedTuple):
    """What an axis has to say: each value on its own, and how many there may be."""

    words: str
    holds: Callable[[Value], bool]
    most: float = math.inf


def is_whole(value: Value) -> bool:
    return isinstance(value, int) and value >= 1


def is_ratio(value: Value) -> bool:
    return isinstance(value, int | float) and value >= 1


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "width": Rule("whole numbers from 1 up", is_whole),
        "depth": Rule("whole numbers from 1 up", is_whole),
        RESOLUTION: Rule("whole numbers from 1 up", is_whole),
        "kernel": Rule("some of 3, 5, 7", lambda value: value in KERNELS),
        "expand": Rule("numbers from 1 up", is_ratio),
        TRANSFORM: Rule("one value, 0 or 1", lambda value: value in (0, 1), most=1),
    }
)
"""By the last word of an axis: what its values have to be."""


def block_shapes(architecture: Architecture) -> list[list[Shape]]:
    """The blocks of each stage, shallow to deep; those beyond a stage's depth are not there."""
    choices = architecture.as_dict()
    count = sum(name.endswith(".width") for name in choices)
    inputs = int(choices["stage1.width"])
    found = []
    for s in range(1, count + 1):
        width, shapes = int(choices[f"stage{s}.width"]), []
        for b in range(1, int(choices[f"stage{s}.depth"]) + 1):
            kernel = int(choices[f"stage{s}.block{b}.kernel"])
            expand = float(choices[f"stage{s}.block{b}.expand"])
            starts, squeezes = s > 1 and b == 1, s > count - SQUEEZING
            shapes.append(Shape(inputs, width, kernel, expand, starts, squeezes))
            inputs = width
        found.append(shapes)
    return found


def has_transform(space: Space) -> bool:
    """Whether smaller kernels are mixed by matrices; no, where the space says nothing."""
    return bool(space.largest().get(TRANSFORM, 0))


def check(space: Space) -> None:
    """Raises UserError unless the axes are those of 2 to 6 stages and all of their blocks."""
    numbers = (re.match(r"stage([1-9]\d*)\.", name) for name in space.axes)
    count = max((int(match[1]) for match in numbers if match), default=0)
    if count not in STAGES:
        raise UserError(
            "family mobile needs stage1.width, stage1.depth, … for "
            f"{STAGES.start} to {STAGES.stop - 1} stages; found {', '.join(space.axes)}"
        )
    outer = [f"stage{s}.{axis}" for s in range(1, count + 1) for axis in ("width", "depth")]
    require(space, outer)
    wanted = [*outer, *of_blocks(space, count)]
    require(space, wanted)
    for name in space.axes:
        if name not in (*wanted, RESOLUTION, TRANSFORM):
            near = did_you_mean(name, [*wanted, RESOLUTION, TRANSFORM])
            raise UserError(f"family mobile: unknown axis '{name}'; {near}")
        checked(space, name)


def require(space: Space, wanted: list[str]) -> None:
    missing = [name for name in wanted if name not in space.axes]
    if missing:
        raise UserError(
            f"family mobile: missing {', '.join(missing)}; every stage needs width and depth, "
            "every block up to its stage's largest depth needs kernel and expand"
        )


def of_blocks(space: Space, stages: int) -> Iterator[str]:
    for s in range(1, stages + 1):
        deepest = max(map(int, checked(space, f"stage{s}.depth")))
        for b in range(1, deepest + 1):
            yield from (f"stage{s}.block{b}.kernel", f"stage{s}.block{b}.expand")


def checked(space: Space, name: str) -> tuple[Value, ...]:
    """The axis's values; raises UserError where they break its rule."""
    axis, rule = space.axes[name], RULES[name.rpartition(".")[2]]
    values = axis.values if isinstance(axis, Choice) else ()
    if not values or not all(map(rule.holds, values)) or len(values) > rule.most:
        raise UserError(f"family mobile: {name} needs {rule.words}; got {axis}")
    return values

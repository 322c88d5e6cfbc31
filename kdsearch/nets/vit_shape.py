"""What the axes of a `vit` space mean: sizes of one student, and which spaces are right."""

import re
from typing import NamedTuple

from kdsearch.core.records import Architecture
from kdsearch.core.space import Axis, Choice, Space
from kdsearch.errors import UserError
from kdsearch.nets.resolution import AXIS, side_of
from kdsearch.nets.transformer_block import Sizes

STAGES = (3, 4)
LEAST = {"patch": 1, "embedding": 2, "depth": 1, "heads": 1, AXIS: 1}
"""Smallest whole number of each kind of axis; a layer norm leaves nothing of one feature."""
WIDENED = ("embedding", "heads")
"""Kinds of axes that are widths; the perceptron follows the embedding."""


class Stage(NamedTuple):
    depth: int
    """Blocks."""
    sizes: Sizes


class Shape(NamedTuple):
    side: int
    """Of the images it works on, in pixels; 0: as they come."""
    patch: int
    """Side of a patch in pixels."""
    stages: tuple[Stage, ...]

    @property
    def width(self) -> int:
        """Features of a token, everywhere."""
        return self.stages[0].sizes.width


def shape_of(architecture: Architecture) -> Shape:
    choices = architecture.as_dict()
    width = int(choices["embedding"])
    stages = []
    for s in range(1, 1 + sum(name.endswith(".depth") for name in choices)):
        hidden = max(1, round(width * float(choices[f"stage{s}.mlp"])))
        sizes = Sizes(width, int(choices[f"stage{s}.heads"]), hidden)
        stages.append(Stage(int(choices[f"stage{s}.depth"]), sizes))
    return Shape(side_of(architecture), int(choices["patch"]), tuple(stages))


def check(space: Space) -> None:
    """Raises UserError unless `space` is one of vision transformers."""
    found = {int(m[1]) for name in space.axes if (m := re.match(r"stage(\d)\.", name))}
    count = max(found, default=0)
    wanted = {"patch", "embedding"} | {
        f"stage{s}.{axis}" for s in range(1, count + 1) for axis in ("depth", "heads", "mlp")
    }
    if count not in STAGES or set(space.axes) - {AXIS} != wanted:
        raise UserError(
            "family vit needs patch, embedding, and stage1.depth, stage1.heads, stage1.mlp, … "
            f"for 3 or 4 stages; and may have {AXIS}; found {', '.join(space.axes)}"
        )
    for name, axis in space.axes.items():
        check_axis(name, axis)
    check_patch(space)


def check_axis(name: str, axis: Axis) -> None:
    """Raises UserError where a value is not a number that the axis can have."""
    values = axis.values if isinstance(axis, Choice) else ()
    kind = name.rpartition(".")[2]
    if kind in LEAST:
        rule = f"whole numbers from {LEAST[kind]} up"
        right = all(isinstance(v, int) and v >= LEAST[kind] for v in values)
    else:
        rule = "numbers above 0"
        right = all(isinstance(v, int | float) and v > 0 for v in values)
    if not (values and right):
        raise UserError(f"family vit: {name} needs {rule}; got {axis}")


def check_patch(space: Space) -> None:
    """Raises UserError unless one size of patches fits every resolution."""
    patches = space.choices()["patch"]
    if len(patches) != 1:
        raise UserError(
            f"family vit: patch needs one value, patches of two sizes share no weights; got "
            f"{space.axes['patch']}; make two spaces"
        )
    for side in space.choices().get(AXIS, ()):
        if int(side) % int(patches[0]):
            raise UserError(
                f"family vit: {AXIS} needs multiples of the patch ({patches[0]}); got {side}"
            )


def wider(architecture: Architecture, factor: float) -> Architecture:
    """See `Family.wider`: embedding and heads; a perceptron is a multiple of the embedding."""
    return Architecture.of(
        {
            name: max(LEAST[kind], round(int(value) * factor)) if kind in WIDENED else value
            for name, value in architecture.choices
            for kind in [name.rpartition(".")[2]]
        }
    )

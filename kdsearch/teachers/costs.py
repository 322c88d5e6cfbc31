"""What the values of each axis cost: a linear estimate of a student's MACs (ours).

A sum over axes makes the mean cost under independent axes an exact sum too, and measuring
every path that a training draws would take longer than the training.
"""

import random

import torch
from torch import Tensor

from kdsearch.core.records import Architecture
from kdsearch.core.seeds import derive
from kdsearch.core.space import Point, Space
from kdsearch.measure.size import macs
from kdsearch.nets.family import Family
from kdsearch.nets.kinds import family_of

PER_VALUE = 3
"""Students measured for each value of the space; 60 took four seconds on a processor."""


def value_costs(family: str, space: Space, shape: tuple[int, int, int], seed: int) -> Tensor:
    """float64, one number for each value of each axis: least squares over drawn students.

    Their sum over the values of a student is its MACs over those of the largest, about: on
    the shelved residual spaces it was off by 0.05 on average.
    """
    rng = random.Random(derive(seed, "costs"))
    count = PER_VALUE * sum(len(values) for values in space.choices().values())
    points = [space.draw(rng) for _ in range(count)]
    whole = cost(family_of(family), space.largest(), shape)
    shares = [cost(family_of(family), point, shape) / whole for point in points]
    rows = torch.tensor([marks(space, point) for point in points], dtype=torch.float64)
    return torch.mv(torch.linalg.pinv(rows), torch.tensor(shares, dtype=torch.float64))


def cost(family: Family, point: Point, shape: tuple[int, int, int]) -> int:
    with torch.device("meta"):
        student = family.student(Architecture.of(point), shape[0], 2)
    return macs(student, shape)


def marks(space: Space, point: Point) -> list[float]:
    """A 1 for each value that the point takes."""
    return [float(point[n] == v) for n, values in space.choices().items() for v in values]

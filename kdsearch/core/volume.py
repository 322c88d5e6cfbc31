"""The hypervolume of a run's front: which axes it has, and where each of them starts (ours).

Scores start at what is reached without learning, costs at 1.1 times the largest student's and
are logarithmic: both are known before a search, so hypervolumes of one space compare.
"""

from collections.abc import Mapping, Sequence
from math import log10

from kdsearch.core.objectives import Objective, in_order
from kdsearch.core.pareto import Values, hypervolume

BEYOND_LARGEST = 1.1
FREE = 1e-9
"""A cost below this counts as this: logarithms have no zero."""


def reference_point(
    objectives: Sequence[Objective], chance: float, largest: Mapping[str, float]
) -> dict[str, float]:
    """Where each axis starts; a score without a known worst value has no axis.

    Args:
        chance: accuracy of a guess.
        largest: costs of the space's largest student.
    """
    found = {}
    for one in objectives:
        if not one.scored:
            found[one.name] = BEYOND_LARGEST * largest[one.name]
        elif one.worst is not None:
            found[one.name] = chance if one.worst == "chance" else one.worst
    return found


def volume(
    points: Sequence[Mapping[str, float]],
    objectives: Sequence[Objective],
    reference: Mapping[str, float],
) -> float | None:
    """Hypervolume over the axes of `reference`; None where none of them is a score.

    Args:
        points: values by objective, as measured.
    """
    axes = [one for one in objectives if one.name in reference]
    if not any(one.scored for one in axes):
        return None
    return hypervolume([placed(p, axes) for p in points], placed(reference, axes))


def placed(values: Mapping[str, float], axes: Sequence[Objective]) -> Values:
    costs = {one.name: log10(max(values[one.name], FREE)) for one in axes if not one.scored}
    return in_order({**values, **costs}, axes)

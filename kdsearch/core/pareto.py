"""Dominance, non-dominated layers, front, knee and hypervolume of points to be minimised."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import TypeAlias

Values: TypeAlias = Sequence[float]
"""One number per objective, each the smaller the better (negate an accuracy)."""


def dominates(a: Values, b: Values) -> bool:
    """`a` is nowhere worse than `b`, and somewhere better."""
    return all(x <= y for x, y in zip(a, b, strict=True)) and tuple(a) != tuple(b)


def layers(points: Sequence[Values]) -> list[int]:
    """The non-dominated layer of each point, 0 for the front (Deb et al., 2002, sec. III.A)."""
    if not points:
        return []
    import moocore

    return [int(rank) for rank in moocore.pareto_rank([list(p) for p in points])]


def front(points: Sequence[Values]) -> list[int]:
    """Indices of the points that no other dominates, in their order."""
    return [i for i, layer in enumerate(layers(points)) if layer == 0]


def knee(points: Sequence[Values]) -> int:
    """Index of the point nearest to the ideal, each axis scaled to [0, 1] over the points."""
    lows = [min(axis) for axis in zip(*points, strict=True)]
    spans = [max(axis) - min(axis) or 1.0 for axis in zip(*points, strict=True)]

    def distance(point: Values) -> float:
        scaled = ((x - low) / s for x, low, s in zip(point, lows, spans, strict=True))
        return math.hypot(*scaled)

    return min(range(len(points)), key=lambda i: distance(points[i]))


def crowding(points: Sequence[Values]) -> list[float]:
    """Crowding distance of each point, infinite at an axis's ends (Deb et al., 2002, III.B)."""
    distance = [0.0] * len(points)
    for axis in range(len(points[0]) if points else 0):
        order = sorted(range(len(points)), key=lambda i: points[i][axis])
        span = points[order[-1]][axis] - points[order[0]][axis] or 1.0
        distance[order[0]] = distance[order[-1]] = math.inf
        for before, here, after in zip(order, order[1:], order[2:], strict=False):
            distance[here] += (points[after][axis] - points[before][axis]) / span
    return distance


def spread_by_layer(points: Sequence[Values], count: int) -> list[int]:
    """Indices of up to `count` points: layer by layer, the least crowded of a layer first."""
    layer = layers(points)
    chosen: list[int] = []
    for depth in range(max(layer, default=-1) + 1):
        members = [i for i in range(len(points)) if layer[i] == depth]
        crowd = crowding([points[i] for i in members])
        order = sorted(range(len(members)), key=lambda k: -crowd[k])
        chosen += [members[k] for k in order]
    return chosen[:count]


def contributions(points: Sequence[Values]) -> list[float]:
    """The hypervolume that each point alone adds to a front, infinite at an axis's best end.

    Each axis is scaled to [0, 1] over the points. A point that is there twice adds nothing.
    """
    if not points:
        return []
    axes = list(zip(*points, strict=True))
    lows = [min(axis) for axis in axes]
    spans = [max(axis) - min(axis) or 1.0 for axis in axes]
    scaled = [
        [(x - low) / span for x, low, span in zip(p, lows, spans, strict=True)] for p in points
    ]
    import moocore

    alone = moocore.hv_contributions(scaled, ref=[1.0] * len(axes))
    times = Counter(map(tuple, points))
    ends = [
        times[tuple(p)] == 1 and any(x == low for x, low in zip(p, lows, strict=True))
        for p in points
    ]
    return [math.inf if end else float(a) for a, end in zip(alone, ends, strict=True)]


def hypervolume(points: Sequence[Values], reference: Values) -> float:
    """Volume between the points and `reference` that some point dominates."""
    inside = [list(p) for p in points if all(x < r for x, r in zip(p, reference, strict=True))]
    if not inside:
        return 0.0
    import moocore

    return float(moocore.hypervolume(inside, ref=list(reference)))

"""The fidelity ladder: how far each rung trains, and who climbs past rung 0."""

import math
from collections.abc import Sequence

from kdsearch.core.pareto import Values, contributions, layers
from kdsearch.core.seeds import derive
from kdsearch.errors import UserError

TRUSTED = 0.6
"""Kendall's tau between two rungs from which on the lower one is believed."""
ONE_IN = 10
"""Of so many trials one is promoted whatever it scores, to see what the others would do."""


def check_rungs(fractions: Sequence[float]) -> None:
    """Raises UserError unless the fractions of full distillation rise to exactly 1."""
    rising = all(a < b for a, b in zip(fractions, fractions[1:], strict=False))
    if len(fractions) < 2 or not rising or fractions[0] <= 0 or fractions[-1] != 1:
        raise UserError(
            f"rungs {list(fractions)}: needs at least two rising fractions of full "
            "distillation, the last 1; for example [0.25, 1]"
        )


def steps_at(rung: int, fractions: Sequence[float], top_steps: int) -> int:
    """Optimiser steps done at the end of a rung; a rung is a prefix of the top rung's run."""
    return 0 if rung == 0 else max(1, round(fractions[rung - 1] * top_steps))


def screened(points: Sequence[Values], keep_layers: int) -> list[bool]:
    """Which points lie in the first `keep_layers` non-dominated layers."""
    return [layer < keep_layers for layer in layers(points)]


def ranking(points: Sequence[Values]) -> list[int]:
    """The place of each point, 0 for the best: by non-dominated layer, within a layer by how
    much hypervolume it alone adds, of equal ones the earlier first.
    """
    layer = layers(points)
    place = [0] * len(points)
    order: list[int] = []
    for depth in range(max(layer, default=-1) + 1):
        members = [i for i in range(len(points)) if layer[i] == depth]
        alone = contributions([points[i] for i in members])
        order += [members[k] for k in sorted(range(len(members)), key=lambda k: -alone[k])]
    for rank, index in enumerate(order):
        place[index] = rank
    return place


def climbs(points: Sequence[Values], own: int, share: float) -> bool:
    """Whether a point goes up when the best `share` of those known at its rung do.

    Asynchronous successive halving (Li et al., 2020, arXiv:1810.05934) in its stopping form
    with several objectives (Schmucker et al., 2021, arXiv:2106.12639): decided on arrival.
    """
    return ranking(points)[own] < math.ceil(share * len(points))


def share_of(reduction: float, tau: float | None) -> float:
    """What share climbs: one in `reduction`, more where the lower rung ranks badly.

    Args:
        tau: Kendall's tau between the rungs' accuracies; None where it is not known.
    """
    return 1 / reduction + (1 - 1 / reduction) * doubt(tau)


def widened(keep_layers: int, tau: float | None) -> int:
    """Layers that the screen lets pass: up to three times as many where it ranks badly."""
    return round(keep_layers * (1 + 2 * doubt(tau)))


def doubt(tau: float | None) -> float:
    """0 where a ranking is believed (or nothing is known of it), 1 where it tells nothing."""
    return 0.0 if tau is None else min(1.0, max(0.0, (TRUSTED - tau) / TRUSTED))


def is_audited(seed: int, number: int) -> bool:
    """Whether a trial is one of the tenth that climbs whatever it scores."""
    return derive(seed, "audited", number) % ONE_IN == 0

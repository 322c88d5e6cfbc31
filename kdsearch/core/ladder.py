"""The fidelity ladder: how far each rung trains, and who climbs past rung 0."""

from collections.abc import Sequence

from kdsearch.core.pareto import Values, layers
from kdsearch.errors import UserError


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

"""What the simpler searches fix: the default recipe, and the knee of the search's own front."""

from collections.abc import Mapping, Sequence
from typing import Any

from kdsearch.config.knobs import knob_space, with_largest
from kdsearch.config.models import Distill
from kdsearch.config.objectives import objectives_of
from kdsearch.core.objectives import in_order
from kdsearch.core.pareto import knee
from kdsearch.core.space import Axis, Choice, Space
from kdsearch.pipeline.context import Context
from kdsearch.pipeline.front import measured
from kdsearch.search.simpler import WITHOUT_TEACHER, Halves
from kdsearch.search.study.axes import middle
from kdsearch.search.trial import Trial


def halves_of(
    context: Context, front: Mapping[str, Any], trials: Sequence[Trial]
) -> tuple[Mapping[str, Any], Halves]:
    """The knee of the front, and what is fixed where one half is searched."""
    config, points = context.config, front["points"]
    objectives = objectives_of(config.search.objectives)
    point = points[knee([in_order(measured(p), objectives) for p in points])]
    labels = with_largest(WITHOUT_TEACHER, knob_space(config.distill, WITHOUT_TEACHER))
    return point, Halves(default(config.distill), trials[point["trial"]].candidate, labels)


def default(distill: Distill) -> dict[str, Space]:
    """The first method as it is by default; of several values that the config gives a knob,
    the middle one.
    """
    method = distill.names[0]
    axes = {
        knob: Choice((middle(axis),))
        for knob, axis in knob_space(distill, method).axes.items()
        if f"{method}.{knob}" in distill.knobs or is_fixed(axis)
    }
    return {method: with_largest(method, Space(axes))}


def is_fixed(axis: Axis) -> bool:
    return isinstance(axis, Choice) and len(axis.values) == 1

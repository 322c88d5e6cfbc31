"""What a search may vary of each method, as a config narrows, fixes or widens it."""

from collections.abc import Sequence

from kdsearch.config.models import Distill, KnobRange, Sum
from kdsearch.core.space import Axis, Choice, Range, Space, Value


def knob_spaces(distill: Distill) -> dict[str, Space]:
    """The space of each method's knobs, by the method's name."""
    return {name: knob_space(distill, name) for name in distill.names}


def knob_space(distill: Distill, method: str) -> Space:
    from kdsearch.distill.kinds import kind  # brings torch, which a query does without

    axes: dict[str, Axis] = dict(kind(method).knobs.axes)
    for chosen in distill.methods:
        if isinstance(chosen, Sum) and chosen.name == method and chosen.weights is not None:
            weights = zip(chosen.method, chosen.weights, strict=True)
            axes |= {f"weight.{name}": Choice((weight,)) for name, weight in weights}
    for knob, values in distill.knobs.items():
        if knob.startswith(f"{method}."):
            axes[knob.removeprefix(f"{method}.")] = narrowed(values)
    return Space(axes)


def narrowed(values: KnobRange | Sequence[Value]) -> Axis:
    if isinstance(values, KnobRange):
        return Range(values.low, values.high, values.log)
    return Choice(tuple(values))

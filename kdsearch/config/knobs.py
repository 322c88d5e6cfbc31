"""What a search may vary of each method, as a config narrows, widens or fixes it."""

from collections.abc import Sequence

from kdsearch.config.models import Distill, KnobRange, Sum
from kdsearch.core.space import Axis, Choice, Range, Space, Value

AUX, LARGEST = "aux", "max_subnet"


def knob_spaces(distill: Distill) -> dict[str, Space]:
    """What a search varies of each method, by the method's name.

    A method that can learn from an auxiliary network takes the largest subnet, which a search
    has at hand, unless the config says otherwise.
    """
    return {name: with_largest(name, knob_space(distill, name)) for name in distill.names}


def with_largest(method: str, space: Space) -> Space:
    from kdsearch.distill.kinds import kind  # brings torch, which a query does without

    offered = kind(method).options.axes.get(AUX)
    if offered is None or AUX in space.axes or not offered.holds(LARGEST):
        return space
    return Space({**space.axes, AUX: Choice((LARGEST,))})


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

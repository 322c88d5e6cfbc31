"""Progressive shrinking: the smaller students join one after the other (Cai et al., 2020,
arXiv:1908.09791, sec. 3.3). First the largest alone, then kind by kind, value by value.
"""

from collections.abc import Sequence

from kdsearch.core.space import Choice, Space, Value
from kdsearch.errors import UserError, did_you_mean


def kind_of(axis: str) -> str:
    """'width' of 'stage1.width': axes of one kind open together."""
    return axis.rpartition(".")[2]


def check_order(space: Space, order: Sequence[str]) -> None:
    """Raises UserError for a kind that no axis of the space has."""
    kinds = dict.fromkeys(map(kind_of, space.axes))
    for kind in order:
        if kind not in kinds:
            raise UserError(f"'{kind}' is no kind of axis here; {did_you_mean(kind, kinds)}")


def opened(space: Space, progress: float, order: Sequence[str], until: float) -> Space:
    """The part of a space that is trained at a share `progress` of the training.

    The time up to `until` has a turn for the largest student and one for each smaller value
    of each kind in `order`, all equally long; kinds that are not named are open throughout.
    """
    if progress >= until:
        return space
    turns = {kind: most_values(space, kind) - 1 for kind in order}
    turn = int(progress / until * (1 + sum(turns.values())))
    axes = dict(space.axes)
    for kind, length in turns.items():
        for name, values in space.choices().items():
            if kind_of(name) == kind:
                axes[name] = Choice(values[-(1 + max(0, min(turn, len(values) - 1))) :])
        turn -= length
    return Space(axes)


def most_values(space: Space, kind: str) -> int:
    return max(len(v) for name, v in space.choices().items() if kind_of(name) == kind)


def openings(
    space: Space, kind: str, order: Sequence[str], until: float
) -> list[tuple[float, tuple[Value, ...]]]:
    """When a kind's smaller values open: the share of the training, and those open before."""
    if kind not in order:
        return []
    turns = {name: most_values(space, name) - 1 for name in order}
    before = sum(turns[name] for name in order[: order.index(kind)])
    total = 1 + sum(turns.values())
    axes = [values for name, values in space.choices().items() if kind_of(name) == kind]
    found = []
    for number in range(1, turns[kind] + 1):
        smaller = {value for values in axes for value in values[:-1][::-1][: number - 1]}
        found.append((until * (before + number) / total, tuple(sorted(smaller, key=float))))
    return found

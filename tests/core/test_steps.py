"""The steps of a front, in numbers worked out by hand."""

import pytest

from kdsearch.core.steps import Offer, Step, steps


def offer(name: str, cost: float, score: float, half: float = 0.01) -> Offer:
    return Offer(name, cost, score, (score - half, score + half))


def test_steps_go_from_cheap_to_dear() -> None:
    front = [offer("c", 4.0, 0.95), offer("a", 1.0, 0.80), offer("b", 2.0, 0.90)]
    found = steps(front)
    assert [(s.start.name, s.end.name) for s in found] == [("a", "b"), ("b", "c")]
    assert [s.gain for s in found] == pytest.approx([0.10, 0.05])
    assert [s.price for s in found] == [1.0, 2.0]
    assert [s.slope for s in found] == pytest.approx([0.10, 0.025])


def test_who_is_on_the_front_for_something_else_is_no_step() -> None:
    """Dearer and worse in this pair of objectives, or at the same cost."""
    front = [offer("a", 1.0, 0.8), offer("b", 2.0, 0.7), offer("c", 3.0, 0.9)]
    front += [offer("d", 3.0, 0.85), offer("e", 1.0, 0.8)]
    assert [(s.start.name, s.end.name) for s in steps(front)] == [("a", "c")]


@pytest.mark.parametrize(
    ("first", "second", "overlaps"),
    [((0.7, 0.8), (0.79, 0.9), True), ((0.7, 0.8), (0.8, 0.9), True),
     ((0.7, 0.8), (0.81, 0.9), False), ((0.6, 0.95), (0.85, 0.9), True)],
)  # fmt: skip
def test_intervals_overlap(
    first: tuple[float, float], second: tuple[float, float], overlaps: bool
) -> None:
    assert Step(Offer("a", 1, 0.75, first), Offer("b", 2, 0.86, second)).overlaps is overlaps


def test_a_front_of_one_has_no_step() -> None:
    assert steps([]) == steps([offer("a", 1.0, 0.8)]) == []

"""What a front offers step by step: how much better, for how much more (ours)."""

from collections.abc import Sequence
from typing import NamedTuple


class Offer(NamedTuple):
    """A student as a buyer sees it."""

    name: str
    cost: float
    score: float
    """The larger the better."""
    ci95: tuple[float, float]
    """Of the score."""


class Step(NamedTuple):
    """From one student to the next dearer one."""

    start: Offer
    end: Offer

    @property
    def gain(self) -> float:
        return self.end.score - self.start.score

    @property
    def price(self) -> float:
        return self.end.cost - self.start.cost

    @property
    def slope(self) -> float:
        """Score for one more of the cost."""
        return self.gain / self.price

    @property
    def overlaps(self) -> bool:
        """Whether the intervals of the two scores have something in common."""
        low, high = self.start.ci95
        return self.end.ci95[0] <= high and low <= self.end.ci95[1]


def steps(offers: Sequence[Offer]) -> list[Step]:
    """Between neighbours, cheapest first; who costs more and is not better is no step up."""
    climbing: list[Offer] = []
    for offer in sorted(offers, key=lambda o: (o.cost, -o.score)):
        if not climbing or offer.score > climbing[-1].score:
            climbing.append(offer)
    return [Step(a, b) for a, b in zip(climbing, climbing[1:], strict=False)]

"""How fast a machine ran in each round, as everything that was timed tells together (ours).

From round to round all networks tell: each against its own usual time, and the median of them.
How fast the machine was on the whole, beside an earlier measurement, the anchors tell: the
only ones that were timed in both. A machine that is shared with strangers is not slower by one
factor, but by 11 % for one anchor and by 40 % for another. By how much a network's own factor
may differ is not known; taken is as much as those of the anchors do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kdsearch.errors import KdsearchError
from kdsearch.measure.intervals import RESAMPLES, resampled

Milliseconds = Mapping[str, NDArray[np.float64]]
"""By name, those of a network's calls: (rounds, calls)."""

DRIFTS = 0.2
"""A machine whose speed changes by more over the rounds is said to drift."""
UNEVEN = 0.05
"""Anchors whose speeds differ by more from one to another are told of."""


@dataclass(frozen=True, slots=True)
class Speed:
    slower: NDArray[np.float64]
    """(rounds,): how many times slower than at reference the machine ran."""
    doubt: NDArray[np.float64]
    """(RESAMPLES,): what `slower` would be multiplied by, had other rounds been made."""
    uneven: float
    """Standard deviation of the logarithms of how many times slower each anchor was."""
    reference: dict[str, float]
    """Milliseconds of each anchor at reference."""

    def unlike(self, seed: int) -> NDArray[np.float64]:
        """(RESAMPLES,): what `slower` would be multiplied by for a network, drawn."""
        normal = np.random.default_rng(seed).standard_normal(RESAMPLES)
        return np.exp(self.uneven * normal)


def speed(
    networks: Milliseconds,
    anchors: Milliseconds,
    reference: Mapping[str, float] | None,
    seed: int,
) -> Speed:
    """
    Args:
        reference: None: the fastest round of these.
        seed: of the draws of rounds, those that intervals are made of.
    """
    timed = [*networks.values(), *anchors.values()]
    paces = pace(timed) if anchors else np.ones(1)
    even = {name: milliseconds / paces[:, None] for name, milliseconds in anchors.items()}
    given = fastest(even, paces) if reference is None else reference
    known = {name: given[name] for name in anchors if name in given}
    if not anchors or len(known) < len(anchors):
        raise KdsearchError(
            f"anchors {sorted(anchors)} with references for {sorted(known)}: latencies need an "
            "anchor, and a reference for each; give None to set them anew"
        )
    ratios = [even[name] / milliseconds for name, milliseconds in known.items()]
    levels = [float(np.median(one)) for one in ratios]
    level = float(np.median(levels))
    drawn = [resampled(one, (50,), seed)[0] for one in ratios]
    doubt = np.median(drawn, axis=0) / level
    return Speed(paces * level, doubt, unevenness(levels, drawn), known)


def unevenness(levels: Sequence[float], drawn: Sequence[NDArray[np.float64]]) -> float:
    """Of the anchors' levels, beyond what so many rounds would leave between equal ones."""
    count = len(levels)
    chance = float(np.mean([np.var(np.log(one)) for one in drawn])) * (count - 1) / count
    return float(np.sqrt(max(0.0, float(np.var(np.log(levels))) - chance)))


def pace(networks: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """(rounds,): how slow each round was beside the usual one.

    The median over networks of their share of their own median: what hits one network, and be
    it an anchor, does not count. A network's call of a round is the median one, and of two the
    faster: a call that lost its processor on the way tells nothing of how fast that is.
    """
    typical = [np.percentile(calls, 50, axis=1, method="lower") for calls in networks]
    found: NDArray[np.float64] = np.median([ms / np.median(ms) for ms in typical], axis=0)
    return found


def fastest(even: Milliseconds, paces: NDArray[np.float64]) -> dict[str, float]:
    """Each anchor's milliseconds in the fastest round.

    Its usual ones at that round's pace: an anchor's own fastest would be luck as much as speed.
    """
    return {name: float(np.median(ms) * paces.min()) for name, ms in even.items()}


def drift(slower: NDArray[np.float64]) -> float:
    """By which share a slow round is slower than a fast one: the 90th and 10th percentile."""
    fast, slow = np.percentile(slower, (10, 90))
    return float(slow / fast - 1)

"""How fast a machine ran in each round, as everything that was timed tells together (ours).

From round to round all networks tell: each against its own usual time, and the median of them.
How fast the machine was on the whole, beside an earlier measurement, the anchors tell: the
only ones that were timed in both.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kdsearch.errors import KdsearchError
from kdsearch.measure.intervals import resampled

Milliseconds = Mapping[str, NDArray[np.float64]]
"""By name, those of a network's calls: (rounds, calls)."""

DRIFTS = 0.2
"""A machine whose speed changes by more over the rounds is said to drift."""


@dataclass(frozen=True, slots=True)
class Speed:
    slower: NDArray[np.float64]
    """(rounds,): how many times slower than at reference the machine ran."""
    doubt: NDArray[np.float64]
    """(resamples,): what `slower` would be multiplied by, had other rounds been made."""
    reference: dict[str, float]
    """Milliseconds of each anchor at reference."""


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
    level = float(np.median([np.median(one) for one in ratios]))
    drawn = [resampled(one, (50,), seed)[0] for one in ratios]
    return Speed(paces * level, np.median(drawn, axis=0) / level, known)


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

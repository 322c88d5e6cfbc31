"""How fast a machine ran in each round, as fixed networks tell it: the anchors (ours)."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from kdsearch.errors import KdsearchError

Milliseconds = Mapping[str, NDArray[np.float64]]
"""By anchor, its median call of each round: (rounds,)."""

DRIFTS = 0.2
"""A machine whose speed changes by more over the rounds is said to drift."""


def slowdown(anchors: Milliseconds, reference: Mapping[str, float]) -> NDArray[np.float64]:
    """(rounds,): how many times slower than at reference the anchors ran, by their median."""
    known = {name for name in anchors if name in reference}
    if not anchors or len(known) < len(anchors):
        raise KdsearchError(
            f"anchors {sorted(anchors)} with references for {sorted(known)}: latencies need an "
            "anchor, and a reference for each; give None to set them anew"
        )
    ratios: NDArray[np.float64] = np.median(
        [milliseconds / reference[name] for name, milliseconds in anchors.items()], axis=0
    )
    return ratios


def undisturbed(anchors: Milliseconds) -> dict[str, float]:
    """Each anchor's milliseconds in the fastest round.

    From its usual share of a round, which drift leaves alone, and that round's geometric mean:
    an anchor's own fastest round would be luck as much as speed.
    """
    if not anchors:
        return {}
    means = np.exp(np.mean([np.log(milliseconds) for milliseconds in anchors.values()], axis=0))
    return {name: float(np.median(ms / means) * means.min()) for name, ms in anchors.items()}


def drift(slower: NDArray[np.float64]) -> float:
    """By which share a slow round is slower than a fast one: the 90th and 10th percentile."""
    fast, slow = np.percentile(slower, (10, 90))
    return float(slow / fast - 1)

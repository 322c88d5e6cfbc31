"""How sure a median or a percentile is."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
Interval = tuple[float, float]


def median_ci95(values: Sequence[float] | NDArray[np.float64], seed: int) -> Interval:
    """95 % percentile-bootstrap interval of the median (Efron & Tibshirani, 1993, ch. 13).

    Here and not scipy's, whose import alone takes longer than measuring eight networks.
    """
    known = np.asarray(values, dtype=np.float64)
    return between(np.median(known[draws(len(known), seed)], axis=1))


def percentiles_ci95(
    groups: NDArray[np.float64], percents: Sequence[float], seed: int
) -> tuple[Interval, ...]:
    """Of percentiles of all values, where those of a row come and go together.

    Args:
        groups: (rows, values); whole rows are drawn, as their values share what disturbed them.
    """
    taken = groups[draws(len(groups), seed)].reshape(RESAMPLES, -1)
    return tuple(between(found) for found in np.percentile(taken, percents, axis=1))


def draws(count: int, seed: int) -> NDArray[np.int64]:
    return np.random.default_rng(seed).integers(0, count, (RESAMPLES, count))


def between(found: NDArray[np.float64]) -> Interval:
    low, high = np.percentile(found, (2.5, 97.5))
    return float(low), float(high)

"""How well one score ranks networks as another does: Kendall's tau-b and its interval.

Kendall, 1945, Biometrika 33:239-251; ties count on neither side. Intervals are percentile
bootstraps over the networks (Efron & Tibshirani, 1993, ch. 13).
"""

from collections.abc import Callable, Sequence
from math import isfinite, sqrt
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Scores: TypeAlias = npt.NDArray[np.float64]
RESAMPLES = 1000


class Ranked(NamedTuple):
    """A statistic of a ranking."""

    value: float | None
    """None where there is nothing to rank: every pair is tied."""
    ci95: tuple[float, float] | None


def tau(ours: Scores, theirs: Scores, bins: Scores | None = None) -> float:
    """Tau-b in [-1, 1], over all pairs, or those in the same bin alone; nan if all are tied."""
    first, second = (np.sign(scores[:, None] - scores[None, :]) for scores in (ours, theirs))
    pairs = np.triu(np.ones((len(ours), len(ours)), dtype=bool), 1)
    if bins is not None:
        pairs &= bins[:, None] == bins[None, :]
    one, other = first[pairs], second[pairs]
    scale = sqrt(float((one**2).sum()) * float((other**2).sum()))
    return float((one * other).sum()) / scale if scale else float("nan")


def mean_tau(ours: Scores, runs: Scores, bins: Scores | None = None) -> float:
    """Mean over the runs, (runs, networks), of tau between a score and each of them."""
    return float(np.mean([tau(ours, run, bins) for run in runs]))


def agreement(runs: Scores) -> float:
    """Mean tau between any two runs that differ in their seed alone: what is there to reach."""
    count = len(runs)
    pairs = [tau(runs[a], runs[b]) for a in range(count) for b in range(a + 1, count)]
    return float(np.mean(pairs))


def equal_bins(costs: Scores, count: int) -> Scores:
    """The bin of each network: as many networks in each as can be, cheap to dear."""
    order = np.argsort(np.argsort(costs, kind="stable"), kind="stable")
    return np.floor(order * count / len(costs))


def ranked(statistic: Callable[[npt.NDArray[np.intp]], float], count: int, seed: int) -> Ranked:
    """A statistic of networks by their positions, with its bootstrap interval."""
    value = statistic(np.arange(count))
    if not isfinite(value):
        return Ranked(None, None)
    rng = np.random.default_rng(seed)
    found = [statistic(rng.integers(0, count, count)) for _ in range(RESAMPLES)]
    usable = [one for one in found if isfinite(one)]
    low, high = np.percentile(usable, (2.5, 97.5))
    return Ranked(value, (float(low), float(high)))


class Audit(NamedTuple):
    """What scores of networks say about their ranking."""

    tau: Ranked
    """Inherited against standalone accuracy, mean over the seeds."""
    ceiling: Ranked
    """One seed's standalone accuracy against another's."""
    macs: Ranked
    params: Ranked
    above_macs: Ranked
    """Inherited accuracy's tau less that of multiply-accumulates, on the same networks."""
    within: Ranked
    """As the first, among networks of about equal multiply-accumulates."""
    bins: int


def audited(
    inherited: Sequence[float],
    standalone: Sequence[Sequence[float]],
    costs: dict[str, Sequence[float]],
    seed: int = 0,
) -> Audit:
    """
    Args:
        standalone: one row for each seed, in the order of `inherited`.
        costs: 'macs' and 'params' of each network.
    """
    ours, runs = np.asarray(inherited, dtype=np.float64), np.asarray(standalone, np.float64)
    macs, params = (np.asarray(costs[name], np.float64) for name in ("macs", "params"))
    count, bins = len(ours), min(6, max(2, len(ours) // 8))
    binned = equal_bins(macs, bins)

    def of(scores: Scores) -> Ranked:
        return ranked(lambda at: mean_tau(scores[at], runs[:, at]), count, seed)

    def above(at: npt.NDArray[np.intp]) -> float:
        return mean_tau(ours[at], runs[:, at]) - mean_tau(macs[at], runs[:, at])

    return Audit(
        tau=of(ours),
        ceiling=Ranked(None, None)
        if len(runs) < 2
        else ranked(lambda at: agreement(runs[:, at]), count, seed),
        macs=of(macs),
        params=of(params),
        above_macs=ranked(above, count, seed),
        within=ranked(lambda at: mean_tau(ours[at], runs[:, at], binned[at]), count, seed),
        bins=bins,
    )

"""How far a rung ranks as the next one does: Kendall's tau over trials that went up anyway."""

import warnings
from collections.abc import Sequence
from typing import NamedTuple

from kdsearch.core.ladder import TRUSTED, is_audited
from kdsearch.search.trial import Trial

FEWEST = 8
"""Trials below which a tau says nothing."""


class Agreement(NamedTuple):
    """How far a rung ranks as the next one does."""

    rung: int
    tau: float | None
    trials: int
    """How many it is taken over: those that went up whatever they scored."""

    @property
    def says(self) -> str:
        if self.trials < FEWEST:
            return f"not known yet, {self.trials} of {FEWEST} audited trials are that far"
        if self.tau is None:
            return "all audited trials score alike"
        if self.tau >= TRUSTED:
            return "they rank alike, the lower one is believed"
        if self.tau > 0:
            return "they rank alike only in part, more go up than the lower one would let"
        return "the lower one says nothing of the next, all that keep the budget go up"


def agreements(trials: Sequence[Trial], seed: int) -> list[Agreement]:
    """Of each rung that some trial went up from, with the next."""
    top = max((t.rung for t in trials), default=0)
    return [
        Agreement(rung, tau_between(trials, rung, seed), len(audited_at(trials, rung, seed)))
        for rung in range(top)
        if any(rung in t.scores for t in trials)
    ]


def audited_at(trials: Sequence[Trial], rung: int, seed: int) -> list[Trial]:
    """Those with a score at the rung and at the next that went up whatever they scored."""
    return [
        t
        for t in trials
        if rung in t.scores and rung + 1 in t.scores and is_audited(seed, t.number)
    ]


def tau_between(trials: Sequence[Trial], rung: int, seed: int) -> float | None:
    """Tau-b of the first objective at a rung and the next, over the audited trials alone.

    Those that were promoted for their score would agree too well. None where there are too
    few, or all are alike.
    """
    both = [(t.scores[rung][0], t.scores[rung + 1][0]) for t in audited_at(trials, rung, seed)]
    if len(both) < FEWEST:
        return None
    from scipy.stats import kendalltau

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        tau = float(kendalltau(*zip(*both, strict=True)).statistic)
    return None if tau != tau else tau

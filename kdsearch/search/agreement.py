"""How far a rung ranks as the next one does: Kendall's tau over trials that went up anyway."""

import warnings
from collections.abc import Sequence

from kdsearch.core.ladder import is_audited
from kdsearch.search.trial import Trial

FEWEST = 8
"""Trials below which a tau says nothing."""


def tau_between(trials: Sequence[Trial], rung: int, seed: int) -> float | None:
    """Tau-b of the first objective at a rung and the next, over the audited trials alone.

    Those that were promoted for their score would agree too well. None where there are too
    few, or all are alike.
    """
    both = [
        (t.scores[rung][0], t.scores[rung + 1][0])
        for t in trials
        if rung in t.scores and rung + 1 in t.scores and is_audited(seed, t.number)
    ]
    if len(both) < FEWEST:
        return None
    from scipy.stats import kendalltau

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        tau = float(kendalltau(*zip(*both, strict=True)).statistic)
    return None if tau != tau else tau

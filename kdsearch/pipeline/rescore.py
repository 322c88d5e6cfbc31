"""A finalist's runs scored anew on one split: means over the runs, with intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import mean, stdev

from torch import nn

from kdsearch.core.objectives import Objective
from kdsearch.data.augment import normalise
from kdsearch.data.records import DataInfo, Split
from kdsearch.errors import ObjectiveError
from kdsearch.measure.accuracy import correct, predict, wilson_ci95
from kdsearch.measure.paired import Interval, interval
from kdsearch.measure.scores import score

BATCH = 500


@dataclass(frozen=True, slots=True)
class Score:
    """Top-1 accuracy of a finalist's runs on one split."""

    accuracy: float
    """Mean over the runs, in [0, 1]."""
    ci95: tuple[float, float]
    """See `scored`."""


@dataclass(frozen=True, slots=True)
class Rescored:
    """All that is asked of a finalist's predictions on one split."""

    top1: Score
    others: Mapping[str, Interval]
    """Further objectives; their intervals are over the runs, and there is none of one run."""
    failed: Mapping[str, str]
    """Why others of the user's own are missing."""

    @property
    def values(self) -> dict[str, float]:
        means = {name: one.mean for name, one in self.others.items()}
        return {"accuracy": self.top1.accuracy, **means}

    @property
    def intervals(self) -> dict[str, tuple[float, float] | None]:
        others = {name: one.ci95 for name, one in self.others.items()}
        return {"accuracy": self.top1.ci95, **others}


def rescored(
    runs: Sequence[nn.Module], split: Split, info: DataInfo, metrics: Sequence[Objective]
) -> Rescored:
    """
    Args:
        runs: a finalist's networks, one for each seed.
    """
    images = normalise(split.images, info.mean, info.std)
    logits = [predict(net, images, BATCH) for net in runs]
    others, failed = {}, {}
    for one in metrics:
        try:
            found = [score(one, of_run, split.labels) for of_run in logits]
            others[one.name] = interval(found)
        except ObjectiveError as error:
            failed[one.name] = str(error)
    hits = [correct(of_run, split.labels) for of_run in logits]
    return Rescored(scored(hits, len(split)), others, failed)


def scored(hits: Sequence[int], images: int) -> Score:
    """Mean accuracy of runs that got `hits` of the same images right.

    The interval covers what other images would give (Wilson) and, with several runs, what
    other runs would give (Student's t); where they differ, the outer end counts.
    """
    shares = [h / images for h in hits]
    low, high = wilson_ci95(round(mean(hits)), images)
    if len(hits) > 1:
        from scipy.stats import t

        half = float(t.ppf(0.975, len(hits) - 1)) * stdev(shares) / sqrt(len(hits))
        low, high = min(low, mean(shares) - half), max(high, mean(shares) + half)
    return Score(mean(shares), (max(0.0, low), min(1.0, high)))

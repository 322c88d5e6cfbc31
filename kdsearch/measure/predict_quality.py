"""How far a predictor can be trusted, beside what repeating the measurement gives.

Errors are of networks that the fit had not seen. No prediction of a noisy measurement can be
better than another measurement is, so the two are told side by side: the ceiling.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from kdsearch.measure.accuracy import wilson_ci95
from kdsearch.measure.predict import (
    Predictor,
    Sample,
    fitted,
    parts,
    plus,
    vector,
)
from kdsearch.measure.ranking import Ranked, ranked, tau
from kdsearch.measure.regressions import Numbers

CLOSE = 0.1
"""A prediction within 10 % counts."""
OUTER = 5
"""Parts of the networks, each of which is left out once when coverage is counted."""
GOOD_SHARE, GOOD_TAU = 0.8, 0.9
"""Of the ceiling's share within 10 % and of its tau: less is not searched with."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How well some numbers say what was measured."""

    networks: int
    within_10_percent: float
    within_10_percent_ci95: tuple[float, float]
    median_error: float
    """Relative, as a share."""
    tau: float | None
    """Kendall's; None where all are tied."""
    tau_ci95: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Quality:
    """Of predictions of networks that the predictor had not seen."""

    regression: str
    predicted: Agreement
    coverage: float
    """Share of the measurements inside of their 90 % intervals."""
    coverage_ci95: tuple[float, float]
    half_width: float
    """Median of the intervals' half-widths, as a share of the prediction."""
    ceiling: Agreement | None
    """A second measurement of some of the networks against the first; None without one."""

    @property
    def is_good(self) -> bool:
        """Whether the predictor errs little more than another measurement would."""
        if self.ceiling is None:
            return False
        enough = GOOD_TAU * (self.ceiling.tau or 0.0)
        return (
            self.predicted.within_10_percent >= GOOD_SHARE * self.ceiling.within_10_percent
            and (self.predicted.tau or 0.0) >= enough
        )

    def as_dict(self) -> dict[str, Any]:
        """JSON-able; what front.json says of a predictor."""
        ceiling = None if self.ceiling is None else asdict(self.ceiling)
        return {
            "regression": self.regression,
            **asdict(self.predicted),
            "coverage": self.coverage,
            "coverage_ci95": self.coverage_ci95,
            "half_width": self.half_width,
            "ceiling": ceiling,
            "is_good": self.is_good,
        }


def read_quality(content: Mapping[str, Any]) -> Quality:
    """Of what `as_dict` gave, and JSON."""
    ceiling = content["ceiling"]
    return Quality(
        regression=str(content["regression"]),
        predicted=read_agreement(content),
        coverage=float(content["coverage"]),
        coverage_ci95=tuple(content["coverage_ci95"]),
        half_width=float(content["half_width"]),
        ceiling=None if ceiling is None else read_agreement(ceiling),
    )


def read_agreement(content: Mapping[str, Any]) -> Agreement:
    found: dict[str, Any] = {one.name: content[one.name] for one in fields(Agreement)}
    intervals = {n: tuple(value) for n, value in found.items() if isinstance(value, list)}
    return Agreement(**{**found, **intervals})


def agreement(said: Numbers, measured: Numbers) -> Agreement:
    error = np.abs(said / measured - 1)
    close = int((error <= CLOSE).sum())
    found: Ranked = ranked(lambda at: tau(said[at], measured[at]), len(said), 0)
    return Agreement(
        networks=len(said),
        within_10_percent=close / len(said),
        within_10_percent_ci95=wilson_ci95(close, len(said)),
        median_error=float(np.median(error)),
        tau=found.value,
        tau_ci95=found.ci95,
    )


def quality(samples: Sequence[Sample], again: Mapping[str, float]) -> Quality:
    """In cross-validation: every network is predicted by a fit to the other parts.

    Args:
        samples: measured networks, at least FEWEST * OUTER / (OUTER - 1) of them.
        again: milliseconds of a second, independent measurement of some, by architecture id.
    """
    ordered = sorted(samples, key=lambda s: s.architecture.id)
    said, ends = np.empty(len(ordered)), np.empty((len(ordered), 2))
    for without in parts(len(ordered), OUTER):
        left = set(without.tolist())
        predictor = fitted([s for i, s in enumerate(ordered) if i not in left])
        features = np.array([vector(ordered[i].footprint, predictor.names) for i in without])
        said[without] = np.exp(predictor.whole.predict(features))
        ends[without] = np.exp(plus(predictor.folds, features))
    measured = np.array([s.ms for s in ordered])
    return told(fitted(ordered).regression, said, ends, measured, ceiling_of(ordered, again))


def held_out(
    predictor: Predictor, samples: Sequence[Sample], again: Mapping[str, float]
) -> Quality:
    """On networks that are none of the predictor's."""
    rows = [predictor(s.architecture, s.footprint) for s in samples]
    said = np.array([row.ms for row in rows])
    ends = np.array([[row.low, row.high] for row in rows])
    measured = np.array([s.ms for s in samples])
    ceiling = ceiling_of(samples, again)
    return told(predictor.regression, said, ends, measured, ceiling)


def told(
    regression: str,
    said: Numbers,
    ends: Numbers,
    measured: Numbers,
    ceiling: Agreement | None,
) -> Quality:
    covered = int(((ends[:, 0] <= measured) & (measured <= ends[:, 1])).sum())
    return Quality(
        regression=regression,
        predicted=agreement(said, measured),
        coverage=covered / len(said),
        coverage_ci95=wilson_ci95(covered, len(said)),
        half_width=float(np.median((ends[:, 1] - ends[:, 0]) / 2 / said)),
        ceiling=ceiling,
    )


def ceiling_of(samples: Sequence[Sample], again: Mapping[str, float]) -> Agreement | None:
    twice = [s for s in samples if s.architecture.id in again]
    if not twice:
        return None
    second = np.array([again[s.architecture.id] for s in twice])
    return agreement(second, np.array([s.ms for s in twice]))

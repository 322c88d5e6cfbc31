"""Predicts a latency from what a network does, with an interval, from a hundred measured ones.

Features are those of `footprint` (by kind of operation and size of map, which tells the stages
apart) and their totals; the regression is the one with the smallest error in cross-validation.
Intervals are those of CV+ (Barber, Candès, Ramdas & Tibshirani, 2021, Annals of Statistics
49:486-507, sec. 1.3) on relative errors, for networks drawn as the measured ones were. Those of
90 % usually hold for as many; sure are about 80 %, were all refitted for each part, which the
Gaussian process's settings and the choice of the regression are not. What lies outside of the
measured is refused.

A predictor is its measurements: it is stored as them, and fitted again when it is read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kdsearch.core.records import Architecture
from kdsearch.errors import PredictorError
from kdsearch.measure.footprint import totals
from kdsearch.measure.regressions import REGRESSIONS, Fit, Numbers

FOLDS = 10
FEWEST = 20
"""Networks below which a 90 % interval says nothing."""
COVERAGE = 0.9


@dataclass(frozen=True, slots=True)
class Sample:
    """A measured network."""

    architecture: Architecture
    footprint: Mapping[str, float]
    ms: float


class Prediction(NamedTuple):
    ms: float
    low: float
    high: float
    """Ends of the 90 % interval."""


class Table(NamedTuple):
    """Networks as the regressions see them."""

    features: Numbers
    log_ms: Numbers

    def rows(self, at: NDArray[np.intp]) -> "Table":
        return Table(self.features[at], self.log_ms[at])


class Fold(NamedTuple):
    """A fit without some of the networks, and what it says of those."""

    fit: Fit
    without: NDArray[np.intp]
    log_errors: Numbers
    """Sizes of the logarithms' errors on the networks left out."""


@dataclass(frozen=True, slots=True)
class Predictor:
    """Made by `fitted`."""

    samples: tuple[Sample, ...]
    names: tuple[str, ...]
    """Of the features, in order."""
    regression: str
    whole: Fit
    folds: tuple[Fold, ...]

    def __call__(
        self, architecture: Architecture, footprint: Mapping[str, float]
    ) -> Prediction:
        """
        Raises:
            PredictorError: it is unlike anything that was measured.
        """
        self.check(architecture, footprint)
        features = vector(footprint, self.names)[None]
        middle = float(self.whole.predict(features)[0])
        low, high = plus(self.folds, features)[0]
        ms, low, high = (float(np.exp(x)) for x in (middle, low, high))
        return Prediction(ms, min(low, ms), max(high, ms))

    def check(self, architecture: Architecture, footprint: Mapping[str, float]) -> None:
        """Raises PredictorError for an axis, a value or a size that no measured network has."""
        known = axes_of([s.architecture for s in self.samples])
        for name in sorted({*known} ^ {*architecture.as_dict()}):
            raise PredictorError(f"axis '{name}': the measured networks are of another space")
        for name, value in architecture.choices:
            if value not in known[name]:
                raise PredictorError(
                    f"{name} = {value}: no measured network has it; measured: "
                    f"{', '.join(map(str, sorted(known[name], key=float)))}"
                )
        ours = totals(footprint)
        theirs = [totals(s.footprint) for s in self.samples]
        for name, value in ours.items():
            low, high = (end(one[name] for one in theirs) for end in (min, max))
            if not low <= value <= high:
                raise PredictorError(
                    f"{name} {value:.4g}: beyond the measured networks' {low:.4g} to {high:.4g}"
                )

    def as_dict(self) -> dict[str, Any]:
        """JSON-able; `read` makes the same predictor of it."""
        return {
            "regression": self.regression,
            "networks": [
                {
                    "architecture": s.architecture.as_dict(),
                    "footprint": dict(s.footprint),
                    "ms": s.ms,
                }
                for s in self.samples
            ],
        }


def read(content: Mapping[str, Any]) -> Predictor:
    """Of what `as_dict` gave."""
    samples = [
        Sample(Architecture.of(row["architecture"]), row["footprint"], row["ms"])
        for row in content["networks"]
    ]
    return fitted(samples, content["regression"])


def fitted(samples: Sequence[Sample], regression: str | None = None) -> Predictor:
    """
    Args:
        samples: measured networks; their order does not matter.
        regression: one of REGRESSIONS; None: the one that errs least in cross-validation.

    Raises:
        PredictorError: they are too few.
    """
    if len(samples) < FEWEST:
        raise PredictorError(
            f"{len(samples)} measured networks; a prediction with its interval needs {FEWEST}"
        )
    ordered = tuple(sorted(samples, key=lambda s: s.architecture.id))
    names = feature_names(ordered)
    table = table_of(ordered, names)
    name = regression or chosen(table)
    whole, folds = cross_fitted(table, name)
    return Predictor(ordered, names, name, whole, folds)


def chosen(table: Table) -> str:
    """The regression whose mean error in cross-validation is the smallest."""
    return min(REGRESSIONS, key=lambda name: float(np.mean(errors(table, name))))


def errors(table: Table, regression: str) -> Numbers:
    """Of each network, left out: the size of its logarithm's error."""
    _, folds = cross_fitted(table, regression)
    found = np.empty(len(table.log_ms))
    for fold in folds:
        found[fold.without] = fold.log_errors
    return found


def cross_fitted(table: Table, regression: str) -> tuple[Fit, tuple[Fold, ...]]:
    """The fit to all networks, and one without each tenth of them."""
    fit = REGRESSIONS[regression]
    whole = fit(*table)
    folds = []
    for without in parts(len(table.log_ms), FOLDS):
        kept = table.rows(np.setdiff1d(np.arange(len(table.log_ms)), without))
        partial = fit(*kept, whole.settings)
        left = table.rows(without)
        error = np.abs(left.log_ms - partial.predict(left.features))
        folds.append(Fold(partial, without, error))
    return whole, tuple(folds)


def parts(count: int, folds: int) -> list[NDArray[np.intp]]:
    """Positions cut into parts at random, always alike."""
    order = np.random.default_rng(0).permutation(count)
    return [np.sort(part) for part in np.array_split(order, min(folds, count))]


def plus(folds: Sequence[Fold], features: Numbers) -> Numbers:
    """(networks, 2): the ends of CV+'s intervals, logarithms.

    Each left-out network says: what the fit without it predicts, less and plus its own error.
    """
    lows, highs = [], []
    for fold in folds:
        said = fold.fit.predict(features)[:, None]
        lows.append(said - fold.log_errors[None])
        highs.append(said + fold.log_errors[None])
    return np.column_stack(
        [
            quantile(np.concatenate(lows, axis=1), lower=True),
            quantile(np.concatenate(highs, axis=1), lower=False),
        ]
    )


def quantile(values: Numbers, *, lower: bool) -> Numbers:
    """Of each row the ceil(0.9 (n + 1))-th value, from above where `lower`."""
    count = values.shape[1]
    rank = min(count, int(np.ceil(COVERAGE * (count + 1))))
    ordered = np.sort(values, axis=1)
    found: Numbers = ordered[:, count - rank] if lower else ordered[:, rank - 1]
    return found


def feature_names(samples: Sequence[Sample]) -> tuple[str, ...]:
    """Every kind that any of them has, and the totals."""
    kinds = {name for s in samples for name in s.footprint}
    return (*sorted(kinds), *totals(samples[0].footprint))


def vector(footprint: Mapping[str, float], names: Sequence[str]) -> Numbers:
    known = {**footprint, **totals(footprint)}
    return np.array([known.get(name, 0.0) for name in names])


def table_of(samples: Sequence[Sample], names: Sequence[str]) -> Table:
    features = np.array([vector(s.footprint, names) for s in samples])
    return Table(features, np.log([s.ms for s in samples]))


def axes_of(architectures: Sequence[Architecture]) -> dict[str, set[Any]]:
    """The values of each axis."""
    found: dict[str, set[Any]] = {}
    for architecture in architectures:
        for name, value in architecture.choices:
            found.setdefault(name, set()).add(value)
    return found

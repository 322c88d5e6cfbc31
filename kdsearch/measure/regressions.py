"""From what networks do to how long they take: three regressions that a predictor picks from.

They learn the logarithm of milliseconds, so that errors are relative. Which one is best depends
on runtime and space (benchmarks/predictor). scikit-learn does the arithmetic, and is imported
when it is first needed: it takes a second.
"""

import warnings
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kdsearch.measure.footprint import QUANTITIES

Numbers: TypeAlias = NDArray[np.float64]
Settings: TypeAlias = Mapping[str, Any]
"""What was chosen by the fit to all networks, JSON-able; fits to some of them keep it."""


TOTALS = len(QUANTITIES)


Fitted: TypeAlias = Callable[[Numbers], Numbers]
"""(networks, features) to (networks,) logarithms of milliseconds."""


class Fit(NamedTuple):
    predict: Fitted
    settings: Settings


class Regression(Protocol):
    def __call__(
        self, features: Numbers, log_ms: Numbers, settings: Settings | None = None
    ) -> Fit:
        """
        Args:
            features: (networks, features), none below 0; the last TOTALS are totals of the
                others.
            log_ms: (networks,).
            settings: of an earlier fit, to be kept; None: chosen anew.
        """


class Scaling(NamedTuple):
    """Logarithms of features, brought to mean 0 and deviation 1."""

    mean: Numbers
    deviation: Numbers

    @classmethod
    def of(cls, features: Numbers) -> "Scaling":
        logs = np.log1p(features)
        deviation = logs.std(axis=0)
        return cls(logs.mean(axis=0), np.where(deviation > 1e-9, deviation, 1.0))

    def __call__(self, features: Numbers) -> Numbers:
        scaled: Numbers = (np.log1p(features) - self.mean) / self.deviation
        return scaled


def additive(features: Numbers, log_ms: Numbers, settings: Settings | None = None) -> Fit:
    """Every operation takes its time, no less than none, and a network the sum of them.

    Least squares of relative errors, coefficients from 0 up (Lawson & Hanson, 1974, ch. 23).
    """
    from sklearn.linear_model import LinearRegression

    largest = features.max(axis=0)
    scale = np.where(largest > 0, largest, 1.0)

    def columns(some: Numbers) -> Numbers:
        return np.column_stack([np.ones(len(some)), some / scale])

    linear = LinearRegression(positive=True, fit_intercept=False)
    linear.fit(columns(features) / np.exp(log_ms)[:, None], np.ones(len(log_ms)))

    floor = float(np.exp(log_ms.min())) / 2  # of a network with nothing that takes time

    def predict(some: Numbers) -> Numbers:
        logs: Numbers = np.log(np.maximum(columns(some) @ linear.coef_, floor))
        return logs

    return Fit(predict, {})


def process(features: Numbers, log_ms: Numbers, settings: Settings | None = None) -> Fit:
    """A smooth function of the totals, and noise (Rasmussen & Williams, 2006, ch. 2)."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

    totals = features[:, -TOTALS:]
    scaling, length = Scaling.of(totals), float(np.sqrt(TOTALS))
    kernel = ConstantKernel(1.0, (1e-3, 1e4)) * RBF(length, (length / 20, length * 1e3))
    kernel += WhiteKernel(0.1, (1e-6, 10.0))
    if settings is not None:
        kernel.theta = np.asarray(settings["theta"])
    gauss = GaussianProcessRegressor(
        kernel,
        alpha=1e-8,
        normalize_y=True,
        optimizer="fmin_l_bfgs_b" if settings is None else None,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # its error tells what it is worth
        gauss.fit(scaling(totals), log_ms)
    theta = [float(number) for number in gauss.kernel_.theta]

    def predict(some: Numbers) -> Numbers:
        return np.asarray(gauss.predict(scaling(some[:, -TOTALS:])))

    return Fit(predict, {"theta": theta})


def both(features: Numbers, log_ms: Numbers, settings: Settings | None = None) -> Fit:
    """The geometric mean of the two, which err for different reasons."""
    summed = additive(features, log_ms, settings)
    smooth = process(features, log_ms, settings)

    def predict(some: Numbers) -> Numbers:
        return (summed.predict(some) + smooth.predict(some)) / 2

    return Fit(predict, smooth.settings)


REGRESSIONS: Mapping[str, Regression] = MappingProxyType(
    {"additive": additive, "process": process, "both": both}
)

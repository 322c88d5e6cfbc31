"""A predictor: right where it was not measured, honest about it, and no further than that."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from kdsearch.core.records import Architecture
from kdsearch.errors import PredictorError
from kdsearch.measure.footprint import footprint_of
from kdsearch.measure.predict import (
    FEWEST,
    Predictor,
    Sample,
    fitted,
    plus,
    quantile,
    read,
    vector,
)

Samples = Callable[..., list[Sample]]


@pytest.fixture(scope="module")
def predictor(samples: Samples) -> Predictor:
    return fitted(samples(80))


def test_intervals_cover_the_networks_left_out(predictor: Predictor, samples: Samples) -> None:
    """36 of 40 are expected: 30 or fewer have odds of one in 200."""
    others = samples(120)[80:]
    said = [predictor(s.architecture, s.footprint) for s in others]
    covered = sum(one.low <= s.ms <= one.high for one, s in zip(said, others, strict=True))
    assert covered > 30
    assert np.median([(one.high - one.low) / 2 / one.ms for one in said]) < 0.12


def test_noisier_measurements_have_wider_intervals(samples: Samples) -> None:
    widths = []
    for noise in (0.01, 0.1):
        measured = samples(60, noise)
        told = [fitted(measured)(s.architecture, s.footprint) for s in measured[:1]]
        widths.append((told[0].high - told[0].low) / told[0].ms)
    assert widths[1] > 3 * widths[0]


def test_it_is_the_same_after_json_and_in_any_order(
    predictor: Predictor, samples: Samples
) -> None:
    stored = json.loads(json.dumps(predictor.as_dict()))
    one = samples(100)[90]
    said = predictor(one.architecture, one.footprint)
    assert read(stored)(one.architecture, one.footprint) == said
    assert fitted(samples(80)[::-1])(one.architecture, one.footprint) == said


def test_a_value_that_no_measured_network_has_is_refused(
    predictor: Predictor, build: Any
) -> None:
    point = {"width": 20, "depth": 1, "kernel": 3, "hidden": 8}
    wider = Architecture.of(point)
    with pytest.raises(PredictorError, match="width = 20: no measured network has it; .* 4, 8"):
        predictor(wider, footprint_of(build, wider, (1, 8, 8)))


def test_another_space_is_refused(predictor: Predictor) -> None:
    other = Architecture.of({"width": 4, "depth": 1, "kernel": 3, "heads": 8})
    with pytest.raises(PredictorError, match="axis 'heads'"):
        predictor(other, {})


def test_a_size_beyond_the_measured_is_refused(samples: Samples) -> None:
    """The largest is not among the measured: each of its values is, its MACs are not."""
    ordered = sorted(samples(120), key=lambda s: sum(s.footprint.values()))
    predictor, largest = fitted(ordered[:100]), ordered[-1]
    with pytest.raises(PredictorError, match=r"(macs|bytes) .*: beyond the measured networks'"):
        predictor(largest.architecture, largest.footprint)


def test_too_few_networks_are_refused(samples: Samples) -> None:
    with pytest.raises(PredictorError, match=f"19 measured networks; .* needs {FEWEST}"):
        fitted(samples(19))


def test_the_regression_that_errs_least_is_taken(samples: Samples) -> None:
    """Latencies that go with MACs to the power 0.7 are no sum of their operations."""
    bent = [replace(s, ms=s.ms**0.4) for s in samples(80, noise=0.001)]
    assert fitted(samples(80, noise=0.001)).regression == "additive"
    assert fitted(bent).regression != "additive"


def test_quantiles_are_those_of_split_conformal_prediction() -> None:
    """Of 19 values the ceil(0.9 · 20) = 18th smallest, and the 18th largest."""
    row = np.arange(1.0, 20.0)[None]
    assert quantile(row, lower=False)[0] == 18
    assert quantile(row, lower=True)[0] == 2


def test_cv_plus_as_it_is_written(predictor: Predictor, samples: Samples) -> None:
    """Barber et al., 2021, eq. for CV+: over all left-out networks i, the quantiles of what the
    fit without i's fold says, less and plus i's error."""
    one = samples(100)[95]
    features = vector(one.footprint, predictor.names)[None]
    lows, highs = [], []
    for fold in predictor.folds:
        said = float(fold.fit.predict(features)[0])
        lows += [said - e for e in fold.log_errors]
        highs += [said + e for e in fold.log_errors]
    rank = int(np.ceil(0.9 * 81))
    expected = [sorted(lows)[80 - rank], sorted(highs)[rank - 1]]
    np.testing.assert_allclose(plus(predictor.folds, features)[0], expected)

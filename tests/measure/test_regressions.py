"""Every regression of the table, on latencies whose rule is known."""

import json
from collections.abc import Callable

import numpy as np
import pytest

from kdsearch.measure.predict import Sample, feature_names, table_of
from kdsearch.measure.regressions import REGRESSIONS

Samples = Callable[..., list[Sample]]


@pytest.mark.parametrize("name", REGRESSIONS)
def test_networks_that_were_left_out_are_predicted(name: str, samples: Samples) -> None:
    """Beside a mean that errs by 60 %."""
    measured = samples(100, noise=0.02)
    table = table_of(measured, feature_names(measured))
    fit = REGRESSIONS[name](table.features[:80], table.log_ms[:80])
    errors = np.abs(fit.predict(table.features[80:]) - table.log_ms[80:])
    assert np.median(errors) < 0.06
    guess = np.abs(table.log_ms[:80].mean() - table.log_ms[80:])
    assert np.median(guess) > 0.2


@pytest.mark.parametrize("name", REGRESSIONS)
def test_the_same_networks_give_the_same_fit_and_settings_are_json(
    name: str, samples: Samples
) -> None:
    measured = samples(40)
    table = table_of(measured, feature_names(measured))
    first = REGRESSIONS[name](*table)
    again = REGRESSIONS[name](*table, json.loads(json.dumps(dict(first.settings))))
    said = first.predict(table.features)
    np.testing.assert_allclose(again.predict(table.features), said, rtol=1e-6)
    np.testing.assert_array_equal(REGRESSIONS[name](*table).predict(table.features), said)


@pytest.mark.parametrize("name", REGRESSIONS)
def test_milliseconds_of_another_unit_are_predicted_in_it(name: str, samples: Samples) -> None:
    measured = samples(40)
    table = table_of(measured, feature_names(measured))
    fit, slower = REGRESSIONS[name], np.log(1000.0)
    said = fit(*table).predict(table.features)
    shifted = fit(table.features, table.log_ms + slower).predict(table.features)
    np.testing.assert_allclose(shifted - slower, said, atol=1e-3)


def test_the_additive_one_finds_what_an_operation_takes() -> None:
    """Milliseconds that are 1 + 2 a + 3 b, without noise."""
    rng = np.random.default_rng(0)
    features = rng.uniform(0, 5, (30, 2))
    ms = 1 + features @ np.array([2.0, 3.0])
    fit = REGRESSIONS["additive"](features, np.log(ms))
    np.testing.assert_allclose(np.exp(fit.predict(np.array([[1.0, 1.0]]))), [6.0], rtol=1e-6)

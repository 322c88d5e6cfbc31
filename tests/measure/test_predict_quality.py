"""How far a predictor can be trusted: shares and taus beside those of a second measurement."""

import json
from collections.abc import Callable

import numpy as np
import pytest

from kdsearch.measure.predict import Sample, fitted
from kdsearch.measure.predict_quality import Quality, agreement, held_out, quality

Samples = Callable[..., list[Sample]]


@pytest.fixture(scope="module")
def found(samples: Samples) -> Quality:
    again = {s.architecture.id: s.ms for s in samples(30, seed=1)}
    return quality(samples(75), again)


def test_agreement_by_hand() -> None:
    """Errors of 0, 9, 11 and 25 %; of six pairs five rank alike."""
    said = np.array([1.0, 2.18, 2.67, 3.0])
    one = agreement(said, np.array([1.0, 2.0, 3.0, 2.4]))
    assert one.within_10_percent == 0.5
    assert one.median_error == pytest.approx((0.09 + 0.11) / 2)
    assert one.tau == pytest.approx((5 - 1) / 6)


def test_predictions_are_about_as_good_as_another_measurement(found: Quality) -> None:
    assert found.ceiling is not None
    assert found.predicted.networks == 75
    assert found.ceiling.networks == 30
    assert found.predicted.within_10_percent >= 0.9 * found.ceiling.within_10_percent
    assert 0.8 <= found.coverage <= 1
    assert found.is_good


def test_nothing_is_good_without_a_ceiling_or_far_below_it(samples: Samples) -> None:
    measured = samples(30)
    assert not quality(measured, {}).is_good
    scrambled = [
        type(s)(s.architecture, s.footprint, other.ms)
        for s, other in zip(measured, measured[1:] + measured[:1], strict=True)
    ]
    again = {s.architecture.id: s.ms for s in scrambled}
    assert not quality(scrambled, again).is_good


def test_it_is_json(found: Quality) -> None:
    content = json.loads(json.dumps(found.as_dict()))
    assert content["ceiling"]["within_10_percent"] > 0
    assert {"networks", "within_10_percent", "tau", "coverage", "is_good"} <= content.keys()


def test_networks_held_out_are_judged_alike(samples: Samples) -> None:
    everyone = samples(120)
    again = {s.architecture.id: s.ms for s in samples(120, seed=2)}
    one = held_out(fitted(everyone[:80]), everyone[80:], again)
    assert one.predicted.networks == 40
    assert one.predicted.within_10_percent > 0.85
    assert one.coverage > 0.75

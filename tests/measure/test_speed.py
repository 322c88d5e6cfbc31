import numpy as np
import pytest

from kdsearch.errors import KdsearchError
from kdsearch.measure.speed import drift, slowdown, undisturbed


def anchors(**milliseconds):
    return {name: np.array(values, dtype=float) for name, values in milliseconds.items()}


def test_reference_is_the_anchors_fastest_round():
    found = undisturbed(anchors(a=[2, 3], b=[8, 12]))
    assert found == pytest.approx({"a": 2.0, "b": 8.0})
    assert undisturbed({}) == {}


def test_slowdown_is_that_of_most_anchors():
    reference = {"a": 1.0, "b": 2.0, "c": 3.0, "unused": 1.0}
    found = slowdown(anchors(a=[1, 2], b=[2, 4], c=[3, 99]), reference)
    np.testing.assert_array_equal(found, [1.0, 2.0])


@pytest.mark.parametrize(("timed", "reference"), [({}, {}), ({"a": [1.0]}, {"b": 1.0})])
def test_anchors_without_reference_are_refused(timed, reference):
    with pytest.raises(KdsearchError, match="reference"):
        slowdown(anchors(**timed), reference)


def test_drift_is_the_spread_of_speed_whatever_the_speed():
    assert drift(np.full(7, 3.0)) == 0.0
    rising = np.linspace(1.0, 2.0, 11)  # its 10th and 90th percentile: 1.1 and 1.9
    assert drift(rising) == pytest.approx(1.9 / 1.1 - 1)
    assert drift(5 * rising) == pytest.approx(drift(rising))


def test_one_odd_round_of_twenty_is_no_drift():
    assert drift(np.array([1.0] * 19 + [9.0])) == 0.0

import numpy as np
import pytest

from kdsearch.errors import KdsearchError
from kdsearch.measure.speed import drift, fastest, pace, speed


def timed(**milliseconds):
    """One call a round."""
    return {n: np.array(values, dtype=float)[:, None] for n, values in milliseconds.items()}


def test_pace_is_what_most_networks_share():
    rounds = timed(a=[1, 2, 1], b=[10, 20, 10], c=[5, 5, 99])
    np.testing.assert_array_equal(pace(list(rounds.values())), [1, 2, 1])


def test_one_of_two_calls_that_lost_its_processor_does_not_count():
    calls = [np.array([[1.0, 1.0], [1.0, 30.0], [2.0, 2.0]])] * 3
    np.testing.assert_array_equal(pace(calls), [1, 1, 2])


def test_reference_is_the_anchors_fastest_round():
    rounds = timed(a=[2, 3], b=[8, 12])
    paces = pace(list(rounds.values()))
    np.testing.assert_allclose(paces, [0.8, 1.2])
    even = {name: milliseconds / paces[:, None] for name, milliseconds in rounds.items()}
    assert fastest(even, paces) == pytest.approx({"a": 2.0, "b": 8.0})
    found = speed({}, rounds, None, 0)
    assert found.reference == pytest.approx({"a": 2.0, "b": 8.0})
    np.testing.assert_allclose(found.slower, [1.0, 1.5])


def test_slower_than_before_is_what_most_anchors_say():
    reference = {"a": 1.0, "b": 2.0, "c": 3.0, "unused": 1.0}
    found = speed(
        timed(net=[7, 7, 14]), timed(a=[2, 2, 4], b=[4, 4, 8], c=[99, 9, 99]), reference, 0
    )
    np.testing.assert_allclose(found.slower, [2, 2, 4])
    assert found.reference == {"a": 1.0, "b": 2.0, "c": 3.0}


def test_networks_beside_the_anchors_make_the_pace_surer():
    rng = np.random.default_rng(0)
    true = 1 + 0.3 * rng.random(50)

    def noisy(count):
        return timed(**{f"n{i}": true * rng.lognormal(0, 0.1, 50) for i in range(count)})

    anchors = noisy(3)
    alone, beside = (speed(n, anchors, None, 0).slower for n in ({}, noisy(80)))
    wrong = [np.std(np.log(found / true)) for found in (alone, beside)]
    assert wrong[1] < 0.4 * wrong[0]


def test_doubt_is_how_far_the_anchors_leave_the_level_open():
    rng = np.random.default_rng(0)
    steady = speed({}, timed(a=[1] * 20, b=[2] * 20), {"a": 1.0, "b": 1.0}, 0)
    assert set(steady.doubt) == {1.0}
    noisy = timed(a=rng.lognormal(0, 0.1, 20), b=rng.lognormal(0, 0.1, 20))
    few = speed(timed(c=[1] * 20, d=[1] * 20, e=[1] * 20), noisy, {"a": 1.0, "b": 1.0}, 0)
    # the median of n normal values has deviation 1.25 s / sqrt(n); here the mean of two such
    assert np.std(few.doubt) == pytest.approx(1.25 * 0.1 / 20**0.5 / 2**0.5, rel=0.5)
    assert np.median(few.doubt) == pytest.approx(1.0, abs=0.02)


def test_anchors_that_changed_apart_leave_every_network_open():
    """A clock that is 10, 20 and 40 % slower for three anchors."""
    rng, slower = np.random.default_rng(0), {"a": 1.1, "b": 1.2, "c": 1.4}
    noise = {name: rng.lognormal(0, 0.05, 40) for name in slower}
    reference = dict.fromkeys(slower, 1.0)
    found = speed({}, {n: (slower[n] * noise[n])[:, None] for n in slower}, reference, 0)
    wanted = np.std(np.log([1.1, 1.2, 1.4]))
    assert found.uneven == pytest.approx(wanted, rel=0.2)
    drawn = found.unlike(7)
    assert np.std(np.log(drawn)) == pytest.approx(found.uneven, rel=0.1)
    np.testing.assert_array_equal(drawn, found.unlike(7))


def test_noise_alone_is_no_unevenness():
    rng = np.random.default_rng(1)
    found = [
        speed(
            {},
            timed(**{n: rng.lognormal(0, 0.1, 10) for n in "abc"}),
            {"a": 1, "b": 1, "c": 1},
            0,
        )
        for _ in range(40)
    ]
    assert np.mean([one.uneven for one in found]) < 0.02 < 0.1
    assert speed({}, timed(a=[2, 3], b=[8, 12]), None, 0).uneven == 0.0


@pytest.mark.parametrize(
    ("anchors", "reference"), [({}, {}), ({}, None), ({"a": [1.0]}, {"b": 1.0})]
)
def test_anchors_without_reference_are_refused(anchors, reference):
    with pytest.raises(KdsearchError, match="reference"):
        speed(timed(net=[1.0]), timed(**anchors), reference, 0)


def test_drift_is_the_spread_of_speed_whatever_the_speed():
    assert drift(np.full(7, 3.0)) == 0.0
    rising = np.linspace(1.0, 2.0, 11)  # its 10th and 90th percentile: 1.1 and 1.9
    assert drift(rising) == pytest.approx(1.9 / 1.1 - 1)
    assert drift(5 * rising) == pytest.approx(drift(rising))


def test_one_odd_round_of_twenty_is_no_drift():
    assert drift(np.array([1.0] * 19 + [9.0])) == 0.0

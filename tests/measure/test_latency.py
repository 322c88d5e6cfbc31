import random
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.stats
import torch
from torch import nn

from kdsearch.core.progress import Silent
from kdsearch.errors import KdsearchError, UserError
from kdsearch.measure import latency
from kdsearch.measure.latency import Target, measure, scaled
from kdsearch.runtimes import RUNTIMES

COSTS = {"tiny": 0.02e-3, "small": 0.5e-3, "large": 8e-3}
ANCHORS = {"a": 0.1e-3, "b": 0.4e-3, "c": 2e-3}


class Machine:
    """Stands for a runtime and its clock: 'networks' are seconds per call, with 3 % noise.

    `slow(calls so far)` is how many times slower the machine runs just now.
    """

    def __init__(self, slow=lambda done: 1.0, seed=0):
        self.now, self.done, self.slow, self.shapes = 0.0, 0, slow, set()
        self.rng = random.Random(seed)

    def prepare(self, cost, example, *, threads):
        def call(images):
            self.shapes.add(images.shape)
            self.done += 1
            self.now += cost * self.slow(self.done) * self.rng.lognormvariate(0, 0.03)

        return call

    def clock(self):
        return self.now

    def measure(self, monkeypatch, reference=None, rounds=30, batch_size=1, progress=None):
        monkeypatch.setattr(latency, "runtime", lambda name: self)
        return measure(
            COSTS,
            ANCHORS,
            Target("here", "fake", batch_size=batch_size),
            torch.zeros(1, 1, 2, 2),
            rounds=rounds,
            seed=0,
            reference=reference,
            progress=progress or Silent(),
            clock=self.clock,
        )


def p50(measured):
    return np.array([measured.latencies[name].p50_ms for name in COSTS])


TRUE = np.array([cost * 1e3 for cost in COSTS.values()])


def test_steady_machine_gives_the_true_milliseconds(monkeypatch):
    measured = Machine().measure(monkeypatch)
    np.testing.assert_allclose(p50(measured), TRUE, rtol=0.05)
    for name, cost in COSTS.items():
        found = measured.latencies[name]
        assert found.ci95[0] <= found.p50_ms <= found.ci95[1] < found.p50_ms * 1.05
        assert found.p50_ms < found.p95_ms < 1.15 * cost * 1e3
        assert found.rounds == 30
    assert measured.reference == pytest.approx(
        {n: c * 1e3 for n, c in ANCHORS.items()}, rel=0.1
    )


@pytest.mark.parametrize("share", [0.3, 0.5, 0.8])
def test_machine_that_halves_its_speed_midway_changes_nothing(monkeypatch, share):
    steady = Machine()
    expected = p50(steady.measure(monkeypatch))
    turn = share * steady.done
    drifting = Machine(slow=lambda done: 2.0 if done > turn else 1.0)
    np.testing.assert_allclose(p50(drifting.measure(monkeypatch)), expected, rtol=0.02)


def test_slowing_steadily_changes_nothing(monkeypatch):
    steady = Machine()
    first = steady.measure(monkeypatch)
    drifting = Machine(slow=lambda done: 1 + done / steady.done)
    later = drifting.measure(monkeypatch, first.reference)
    np.testing.assert_allclose(p50(later), p50(first), rtol=0.02)


def test_later_session_on_a_slower_machine_is_comparable(monkeypatch):
    first = Machine(seed=1).measure(monkeypatch)
    later = Machine(slow=lambda done: 3.0, seed=2).measure(monkeypatch, first.reference)
    np.testing.assert_allclose(p50(later), p50(first), rtol=0.02)
    assert later.reference == first.reference
    alone = Machine(slow=lambda done: 3.0, seed=2).measure(monkeypatch)
    np.testing.assert_allclose(p50(alone), 3 * p50(first), rtol=0.1)


def test_p95_sees_every_call_and_p50_does_not():
    steady = [[1.0] * 10] * 20
    hiccups = [[2.0] * 9 + [6.0]] * 20
    found = scaled({"net": hiccups}, {"a": steady}, None, 0).latencies["net"]
    assert (found.p50_ms, found.p95_ms, found.ci95) == (2.0, 6.0, (2.0, 2.0))


def test_one_disturbed_anchor_of_three_does_not_count():
    anchors = {"a": [[1.0]] * 4, "b": [[2.0]] * 4, "c": [[3.0], [9.0], [9.0], [9.0]]}
    reference = {"a": 1.0, "b": 2.0, "c": 3.0}
    assert scaled({"net": [[5.0]] * 4}, anchors, reference, 0).latencies["net"].p50_ms == 5.0


def test_reference_is_the_anchors_fastest_round():
    anchors = {"a": [[2.0, 9.0, 2.0], [3.0] * 3], "b": [[8.0], [12.0]]}
    measured = scaled({"net": [[4.0], [6.0]]}, anchors, None, 0)
    assert measured.reference == pytest.approx({"a": 2.0, "b": 8.0})
    assert measured.latencies["net"].p50_ms == pytest.approx(4.0)


@pytest.mark.parametrize(
    ("anchors", "reference"), [({}, None), ({}, {}), ({"a": [[1.0]]}, {"b": 1.0})]
)
def test_anchors_without_reference_are_refused(anchors, reference):
    with pytest.raises(KdsearchError, match="reference"):
        scaled({"net": [[1.0]]}, anchors, reference, 0)


@pytest.mark.parametrize("batch_size", [1, 6])
def test_images_are_as_many_as_the_target_says(monkeypatch, batch_size):
    machine = Machine()
    machine.measure(monkeypatch, rounds=2, batch_size=batch_size)
    assert machine.shapes == {(batch_size, 1, 2, 2)}


def test_network_and_anchor_may_bear_one_name():
    measured = scaled({"same": [[3.0]]}, {"same": [[1.0]]}, {"same": 2.0}, 0)
    assert measured.latencies["same"].p50_ms == 6.0


def test_progress_hears_of_every_round(monkeypatch):
    heard = []
    progress = SimpleNamespace(
        start=lambda task, total: heard.append((task, total)),
        step=lambda task, done: heard.append(done),
        finish=lambda task: heard.append(task),
    )
    Machine().measure(monkeypatch, rounds=3, progress=progress)
    assert heard == [("latency here", 3), 1, 2, 3, "latency here"]


def real(width):
    layers = (nn.Conv2d(1, width, 3), nn.ReLU(), nn.Conv2d(width, width, 3), nn.Flatten())
    return nn.Sequential(*layers)


@pytest.mark.parametrize("name", RUNTIMES)
def test_smoke_two_repeats_rank_real_networks_alike(name):
    networks = {str(width): real(width) for width in (2, 24, 96)}
    anchors = {"a": real(4), "b": real(16), "c": real(48)}
    first, second = (
        measure(
            networks,
            anchors,
            Target("here", name),
            torch.randn(1, 1, 16, 16),
            rounds=8,
            seed=seed,
            reference=None,
            progress=Silent(),
        )
        for seed in (0, 1)
    )
    ranks = [[m.latencies[n].p50_ms for n in networks] for m in (first, second)]
    assert scipy.stats.kendalltau(*ranks).statistic == 1
    assert ranks[0] == sorted(ranks[0])


def test_unknown_runtime_is_the_users_error():
    with pytest.raises(UserError, match="did you mean 'eager'"):
        measure(
            {},
            {},
            Target("here", "egaer"),
            torch.zeros(1, 1),
            rounds=1,
            seed=0,
            reference=None,
            progress=Silent(),
        )

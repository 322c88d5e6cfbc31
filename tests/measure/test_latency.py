import random
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.stats
import torch
from torch import nn

from kdsearch.core.progress import Silent
from kdsearch.errors import UserError
from kdsearch.measure import latency
from kdsearch.measure.latency import (
    FEWEST_ROUNDS,
    LOOK_EVERY,
    Target,
    disturbances,
    images_for,
    measure,
    scaled,
)
from kdsearch.runtimes import RUNTIMES
from kdsearch.runtimes.runtime import Calling, Prepared
from kdsearch.stopping import STOP, Stopped

COSTS = {"tiny": 0.02e-3, "small": 0.5e-3, "large": 8e-3}
HERE = Target("here", "fake")
ANCHORS = {"a": 0.1e-3, "b": 0.4e-3, "c": 2e-3}


class Machine:
    """Stands for a runtime and its clock: 'networks' are seconds per call, with 3 % noise.

    `slow(calls so far)` is how many times slower the machine runs just now.
    """

    def __init__(self, slow=lambda done: 1.0, seed=0, noise=0.03, has_clock=False):
        self.now, self.done, self.slow, self.shapes = 0.0, 0, slow, set()
        self.rng, self.noise, self.has_clock = random.Random(seed), noise, has_clock

    def prepare(self, cost, example, calling):
        def call(images):
            self.shapes.add(images.shape)
            self.done += 1
            self.now += self.takes(cost)

        def seconds(images):
            self.done += 1
            return self.takes(cost)

        return Prepared(call, seconds if self.has_clock else None)

    def takes(self, cost):
        return cost * self.slow(self.done) * self.rng.lognormvariate(0, self.noise)

    def clock(self):
        return self.now

    def measure(self, monkeypatch, reference=None, target=HERE, **asked):
        monkeypatch.setattr(latency, "ready", lambda name, calling: self)
        monkeypatch.setattr(latency, "try_size", lambda *_: None)
        progress, rounds = asked.get("progress"), asked.get("rounds", 30)
        return measure(
            COSTS,
            ANCHORS,
            target,
            torch.zeros(1, 1, 2, 2),
            rounds=rounds,
            within=asked.get("within"),
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


@pytest.mark.parametrize("batch_size", [1, 6])
def test_images_are_as_many_and_as_large_as_the_target_says(monkeypatch, batch_size):
    machine = Machine()
    target = Target("here", "fake", batch_size=batch_size, size=4)
    machine.measure(monkeypatch, rounds=2, target=target)
    assert machine.shapes == {(batch_size, 1, 4, 4)}


def test_images_are_laid_out_as_the_target_says():
    example = torch.rand(2, 3, 4, 4)
    images = images_for(Target("here", "eager", layout="channels_last", batch_size=3), example)
    assert images.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(images, example[[0, 1, 0]])
    larger = images_for(Target("here", "eager", size=8), example)
    assert larger.shape == (1, 3, 8, 8) and larger.is_contiguous()
    assert larger.mean().item() == pytest.approx(example[0].mean().item(), abs=0.05)


@pytest.mark.parametrize("within", [None, 0.05, 0.01, 0.001])
def test_rounds_end_once_every_interval_is_narrow(monkeypatch, within):
    found = Machine().measure(monkeypatch, within=within, rounds=60).latencies
    (rounds,) = {one.rounds for one in found.values()}
    widest = max((one.ci95[1] - one.ci95[0]) / 2 / one.p50_ms for one in found.values())
    if within in (None, 0.001):
        assert rounds == 60
    else:
        assert FEWEST_ROUNDS <= rounds < 60 and rounds % LOOK_EVERY == 0
        assert widest <= within
    assert widest > 0.001  # the cap ends it where that cannot be had


def test_a_wish_for_precision_needs_some_rounds_and_heeds_the_cap(monkeypatch):
    exact = Machine(noise=0.0)
    found = exact.measure(monkeypatch, within=0.5, rounds=60).latencies["tiny"]
    assert found.rounds == FEWEST_ROUNDS
    capped = Machine(noise=0.0).measure(monkeypatch, within=0.5, rounds=4).latencies["tiny"]
    assert capped.rounds == 4


def test_noisier_machines_take_more_rounds(monkeypatch):
    calm, noisy = (
        Machine(noise=noise).measure(monkeypatch, within=0.03, rounds=90).latencies["tiny"]
        for noise in (0.02, 0.12)
    )
    assert calm.rounds < noisy.rounds < 90


def test_the_devices_own_clock_counts_where_there_is_one(monkeypatch):
    machine = Machine(has_clock=True)
    np.testing.assert_allclose(p50(machine.measure(monkeypatch)), TRUE, rtol=0.05)
    assert machine.now == 0.0


def test_tails_have_intervals_of_their_own(monkeypatch):
    for found in Machine().measure(monkeypatch).latencies.values():
        assert found.p50_ms < found.p95_ms <= found.p99_ms
        assert found.p95_ci95[0] <= found.p95_ms <= found.p95_ci95[1]
        assert found.p99_ci95[0] <= found.p99_ms <= found.p99_ci95[1]
        # of noise as Machine makes it, p95 and p99 are 1.64 and 2.33 deviations out
        assert found.p95_ms / found.p50_ms == pytest.approx(1.05, abs=0.02)


def test_hiccups_of_one_round_make_the_tail_unsure():
    steady, spoilt = [[1.0] * 10] * 19, [[9.0] * 10]
    anchors = {name: [[1.0]] * 20 for name in "abc"}
    found = scaled({"net": steady + spoilt}, anchors, None, 0).latencies["net"]
    assert (found.p95_ms, found.p99_ms, found.ci95) == (pytest.approx(1.4), 9.0, (1.0, 1.0))
    assert found.p95_ci95 == (1.0, 9.0)


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    """Sessions of their own, each on a machine of another speed that drifts on."""
    rng = np.random.default_rng(0)
    true, rounds, inside = 2.0, 30, 0
    for seed in range(40):
        machine = rng.uniform(1, 3) * np.exp(np.cumsum(rng.normal(0, 0.05, rounds)))

        def visits(ms, machine=machine):
            return ms * machine[:, None] * rng.lognormal(0, 0.05, (rounds, 2))

        anchors = {"a": visits(1.0), "b": visits(3.0), "c": visits(9.0)}
        reference = {"a": 1.0, "b": 3.0, "c": 9.0}
        low, high = (
            scaled({"net": visits(true)}, anchors, reference, seed).latencies["net"].ci95
        )
        inside += low <= true <= high
    assert inside >= 0.85 * 40


def test_drift_is_noticed_and_said(monkeypatch):
    said = []
    progress = Silent()
    progress.finish = lambda task, note="": said.append(note)
    steady = Machine()
    calm = steady.measure(monkeypatch, progress=progress).latencies["small"]
    assert calm.drift < 0.1 and said == [""]
    turn = steady.done / 2
    drifting = Machine(slow=lambda done: 1.5 if done > turn else 1.0)
    found = drifting.measure(monkeypatch, progress=progress).latencies["small"]
    assert found.drift == pytest.approx(0.5, abs=0.1)
    assert said[1] == f"the machine's speed changed by {found.drift:.0%}"


def test_anchors_that_changed_apart_are_told_and_make_intervals_wide():
    """Twice as slow for one anchor as at the reference, and as before for two."""
    rounds = [[1.0, 1.0]] * 30
    anchors = {"a": rounds, "b": rounds, "c": [[2.0, 2.0]] * 30}
    found = scaled({"net": rounds}, anchors, dict.fromkeys("abc", 1.0), 0)
    assert found.uneven == pytest.approx(np.std(np.log([1, 1, 2])))
    assert list(disturbances(found)) == ["anchors' speeds have changed apart, by 33%"]
    latency = found.latencies["net"]
    assert latency.p50_ms == 1.0
    low, high = latency.ci95
    assert np.log(high) == pytest.approx(1.96 * found.uneven, rel=0.15) and low < 1 / 1.5
    alike = scaled({"net": rounds}, dict.fromkeys("abc", rounds), dict.fromkeys("abc", 1.0), 0)
    assert alike.latencies["net"].ci95 == (1.0, 1.0) and not list(disturbances(alike))


def test_intervals_hold_their_percentiles():
    """Also where rounding would leave one outside by the last bit."""
    rng, anchors = np.random.default_rng(3), {"a": [[1.0, 1.0]] * 5}
    for _ in range(300):
        timed = {"net": (1 + 0.001 * rng.random((5, 2))).tolist()}
        one = scaled(timed, anchors, {"a": 0.7}, 0).latencies["net"]
        assert one.ci95[0] <= one.p50_ms <= one.ci95[1]
        assert one.p95_ci95[0] <= one.p95_ms <= one.p95_ci95[1]
        assert one.p99_ci95[0] <= one.p99_ms <= one.p99_ci95[1]


@pytest.mark.parametrize("after", [0, 3, 40])
def test_stops_when_asked_while_warming_up_and_between_rounds(monkeypatch, after):
    machine = Machine()
    monkeypatch.setattr(STOP, "is_asked", lambda: machine.done >= after)
    with pytest.raises(Stopped):
        machine.measure(monkeypatch)
    assert machine.done < after + 200


def test_same_seed_and_clock_same_latencies(monkeypatch):
    one, other = (Machine().measure(monkeypatch, within=0.01) for _ in range(2))
    assert one == other


def test_network_and_anchor_may_bear_one_name():
    measured = scaled({"same": [[3.0]]}, {"same": [[1.0]]}, {"same": 2.0}, 0)
    assert measured.latencies["same"].p50_ms == 6.0


def test_progress_hears_of_every_round(monkeypatch):
    heard = []
    progress = SimpleNamespace(
        start=lambda task, total: heard.append((task, total)),
        step=lambda task, done: heard.append(done),
        finish=lambda task, note: heard.append((task, note)),
    )
    Machine().measure(monkeypatch, rounds=3, progress=progress)
    assert heard == [("latency here", 3), 1, 2, 3, ("latency here", "")]


def real(width):
    layers = (nn.Conv2d(1, width, 3), nn.ReLU(), nn.Conv2d(width, width, 3), nn.Flatten())
    return nn.Sequential(*layers)


QUICK = [name for name, r in RUNTIMES.items() if name != "compile" and not r.lacks(Calling())]
"""Those that are here, but the one that compiles each network for seconds."""


@pytest.mark.parametrize("name", QUICK)
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


def test_images_of_a_size_that_students_do_not_take_are_the_users_error():
    net = nn.Sequential(nn.Flatten(), nn.Linear(16, 2))
    with pytest.raises(UserError) as refused:
        measure(
            {"net": net},
            {"anchor": net},
            Target("here", "eager", size=8),
            torch.zeros(1, 1, 4, 4),
            rounds=1,
            seed=0,
            reference=None,
            progress=Silent(),
        )
    said = str(refused.value)
    assert said.startswith("latency.size: 8: students do not take") and "\n" not in said


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

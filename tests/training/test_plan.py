from dataclasses import replace

import pytest

from kdsearch.training.plan import Plan, averaging_decay, learning_rate, slowed

PLAN = Plan(steps=100, batch_size=16, learning_rate=2.0, weight_decay=0.0, seed=0)


@pytest.mark.parametrize(
    ("step", "rate"),
    [
        (0, 0.2),  # 0.5 of 5 warm-up steps
        (4, 1.8),
        (5, 1.9998633050),  # 1 + cos(π · 0.5 / 95)
        (52, 1.0),  # half way down
        (99, 0.0001366950),  # 1 + cos(π · 94.5 / 95)
    ],
)
def test_learning_rate_golden_points(step: int, rate: float) -> None:
    assert learning_rate(PLAN, step) == pytest.approx(rate, rel=1e-6)


def test_learning_rate_depends_on_the_share_of_the_run() -> None:
    long = replace(PLAN, steps=300)
    # step 1 of 3 lies in the middle of the third that step 0 is
    for step in (0, 3, 30, 99):
        assert learning_rate(long, 3 * step + 1) == pytest.approx(learning_rate(PLAN, step))


def test_learning_rate_rises_then_falls() -> None:
    rates = [learning_rate(PLAN, step) for step in range(100)]
    assert rates[:5] == sorted(rates[:5])
    assert rates[5:] == sorted(rates[5:], reverse=True)
    assert max(rates) <= 2.0 and min(rates) > 0


def test_without_warmup_it_starts_at_the_top() -> None:
    assert learning_rate(replace(PLAN, warmup=0.0), 0) == pytest.approx(2.0, rel=1e-4)


@pytest.mark.parametrize(
    ("step", "decay"), [(0, 0.1), (1, 2 / 11), (30, 31 / 40), (999, 1 - 1 / 30)]
)
def test_averaging_is_short_at_first(step: int, decay: float) -> None:
    plan = replace(PLAN, steps=1000, averaging=0.03)
    assert averaging_decay(plan, step) == pytest.approx(decay)


def test_a_short_run_is_not_averaged() -> None:
    assert averaging_decay(replace(PLAN, steps=10), 5) == 0


def test_each_roll_back_halves_the_rate_of_every_step() -> None:
    assert slowed(PLAN, 0) == PLAN
    for step in (0, 30, 99):
        expected = learning_rate(PLAN, step) / 8
        assert learning_rate(slowed(PLAN, 3), step) == pytest.approx(expected)

"""Step times: turns in rounds, ratios within a round, what is trained beside the student."""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch

from kdsearch.core.progress import Silent
from kdsearch.core.records import Architecture, Job, Recipe
from kdsearch.distill.kinds import method_of
from kdsearch.search import pace
from kdsearch.search.pace import Pace, paces, ratio
from kdsearch.search.rung import Rungs
from kdsearch.search.setting import Setting

RECIPES = {
    "hard": Recipe("hard"),
    "soften": Recipe("soften"),
    "hint": Recipe("hint"),
    "turned": Recipe.of("multi_level", {"views": 4}),
}


@pytest.fixture
def rungs(ground: Setting) -> Rungs:
    return Rungs(replace(ground, supernet=None), Silent())


def jobs(rungs: Rungs, *names: str) -> dict[str, Job]:
    smallest = Architecture.of(rungs.setting.space.smallest())
    return {name: Job(name, 1, smallest, RECIPES[name], 1, "nowhere") for name in names}


class Clock:
    """Time that passes in steps alone; a busy neighbour makes every other round ten times
    slower for all."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self.now = 0.0
        self.seconds = seconds
        self.turns: list[str] = []

    def perf_counter(self) -> float:
        return self.now

    def train_step(self, task: Any, batch: Any, optimiser: Any, plan: Any) -> None:
        name = list(self.seconds)[len(self.turns) % len(self.seconds)]
        busy = 10 if len(self.turns) // len(self.seconds) % 2 else 1
        self.turns.append(name)
        self.now += busy * self.seconds[name]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    made = Clock({"hard": 1.0, "soften": 1.5, "turned": 4.0})
    monkeypatch.setattr(pace, "train_step", made.train_step)
    monkeypatch.setattr(pace, "time", made)
    yield made


def test_ratios_are_taken_within_a_round(rungs: Rungs, clock: Clock) -> None:
    """A neighbour that slows whole rounds moves no ratio."""
    found = paces(rungs, jobs(rungs, *clock.seconds), ["hard", "soften"], Silent())
    assert found["turned"].ratios["hard"] == pytest.approx((4, 4, 4))
    assert found["turned"].ratios["soften"] == pytest.approx((4 / 1.5,) * 3)
    assert found["hard"].ratios["hard"] == (1, 1, 1)
    assert found["soften"].seconds == pytest.approx(1.5 * 5.5), "the median of 1 and 10"


def test_methods_take_turns_and_the_first_rounds_do_not_count(
    rungs: Rungs, clock: Clock
) -> None:
    paces(rungs, jobs(rungs, *clock.seconds), ["hard"], Silent())
    names = list(clock.seconds)
    assert clock.turns == names * (pace.WARM_UP + pace.ROUNDS)


def test_what_is_trained_beside_the_student(
    rungs: Rungs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The projections of hint's own."""
    monkeypatch.setattr(pace, "WARM_UP", 0)
    monkeypatch.setattr(pace, "ROUNDS", 2)
    found = paces(rungs, jobs(rungs, "hard", "hint"), ["hard"], Silent())
    assert found["hard"].extra_params == 0
    task = rungs.task(jobs(rungs, "hint")["hint"], method_of(RECIPES["hint"]))
    own = sum(p.numel() for p in task.module.parts.parameters())
    assert found["hint"].extra_params == own > 0
    assert found["hint"].ratios.keys() == {"hard"}
    assert found["hint"].seconds > 0


def test_the_global_generator_stays_as_it_is(
    rungs: Rungs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "WARM_UP", 0)
    monkeypatch.setattr(pace, "ROUNDS", 2)
    before = torch.get_rng_state()
    paces(rungs, jobs(rungs, "hard"), ["hard"], Silent())
    assert torch.equal(torch.get_rng_state(), before)


def test_four_views_take_longer_than_none(
    rungs: Rungs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a real clock, and by far."""
    monkeypatch.setattr(pace, "ROUNDS", 6)
    found = paces(rungs, jobs(rungs, "hard", "turned"), ["hard"], Silent())
    assert found["turned"].ratios["hard"][0] > 1.2


def test_median_and_interval_of_the_median() -> None:
    middle, low, high = ratio([1.0, 1.1, 1.2, 1.3, 9.0] * 4)
    assert middle == 1.2
    assert 1.0 <= low <= middle <= high < 9.0


def test_plain_data(rungs: Rungs) -> None:
    assert Pace(0.5, {"hard": (1.0, 0.9, 1.1)}, 3).as_dict() == {
        "seconds": 0.5, "ratios": {"hard": (1.0, 0.9, 1.1)}, "extra_params": 3,
    }  # fmt: skip


def test_the_clock_is_a_monotonic_one() -> None:
    assert pace.time is time

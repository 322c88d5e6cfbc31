import gc
import random
from itertools import count

import pytest

from kdsearch.measure.rounds import (
    FEWEST_CALLS,
    MOST_CALLS,
    WARM_UPS,
    calls_per_visit,
    interleaved,
)


class Machine:
    """A clock that only calls move; notes who was called."""

    def __init__(self, costs):
        self.now, self.log = 0.0, []
        self.calls = {name: self.call(name, cost) for name, cost in costs.items()}

    def call(self, name, cost):
        def run():
            self.now += cost
            self.log.append(name)

        return run

    def clock(self):
        return self.now

    def run(self, rounds, after_round=lambda done: None):
        rng = random.Random(0)
        return interleaved(self.calls, rounds, rng, self.clock, after_round)


def visits(log):
    """The log without repeats in a row."""
    return [name for before, name in zip([None, *log], log, strict=False) if name != before]


def test_times_are_those_of_the_calls():
    seconds = Machine({"a": 0.004, "b": 0.0005}).run(3)
    assert [len(visit) for visit in seconds["a"]] == [FEWEST_CALLS] * 3
    assert [len(visit) for visit in seconds["b"]] == [2] * 3
    assert sum(seconds["a"], []) == pytest.approx([0.004] * 6)
    assert sum(seconds["b"], []) == pytest.approx([0.0005] * 6)


def test_every_round_visits_each_once_in_an_order_of_its_own():
    machine = Machine({name: 0.001 for name in "abcdef"})
    marks = []
    machine.run(8, lambda done: marks.append(len(machine.log)))
    starts = [WARM_UPS * 6, *marks]
    rounds = [
        machine.log[start : end : FEWEST_CALLS + 1]
        for start, end in zip(starts, marks, strict=False)
    ]
    assert all(sorted(order) == list("abcdef") for order in rounds)
    assert len({tuple(order) for order in rounds}) == 8


def test_each_visit_begins_with_a_call_that_is_not_timed():
    machine = Machine({})
    cost = count(1)  # each call dearer than the one before: its cost tells which one it was

    def run():
        machine.now += next(cost)

    machine.calls = {"a": run}
    first = WARM_UPS + 1
    assert machine.run(2)["a"] == [[first + 1, first + 2], [first + 4, first + 5]]


@pytest.mark.parametrize(
    ("fastest", "calls"),
    [(0.1, FEWEST_CALLS), (0.0003, 4), (0.00002, 50), (1e-6, MOST_CALLS), (0.0, MOST_CALLS)],
)
def test_fast_networks_get_many_calls(fastest, calls):
    assert calls_per_visit([0.2, fastest, 0.2]) == calls


def test_garbage_collection_is_off_while_timing_only():
    states = []
    machine = Machine({"a": 0.001})
    machine.run(2, lambda done: states.append(gc.isenabled()))
    assert states == [False, False]
    assert gc.isenabled()


def test_garbage_collection_comes_back_after_an_error():
    machine = Machine({"a": 0.001})

    def fail(done):
        raise ValueError

    with pytest.raises(ValueError):
        machine.run(1, fail)
    assert gc.isenabled()

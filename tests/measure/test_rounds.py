import gc
import random
from itertools import count

import pytest

from kdsearch.measure.rounds import (
    FEWEST_CALLS,
    MOST_CALLS,
    calls_per_visit,
    interleaved,
)
from kdsearch.measure.warm_up import FEWEST, WINDOW

WARM_UPS = 2 * WINDOW
"""Of a network that is as fast the first time as later."""


class Machine:
    """Networks that take what they are said to; notes who was called."""

    def __init__(self, costs):
        self.log = []
        self.calls = {name: self.call(name, cost) for name, cost in costs.items()}

    def call(self, name, cost):
        def run():
            self.log.append(name)
            return cost

        return run

    def run(self, rounds, is_enough=lambda timed: False):
        return interleaved(self.calls, rounds, random.Random(0), is_enough)


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
    machine.run(8, lambda timed: marks.append(len(machine.log)))
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
    machine.calls = {"a": lambda: next(cost)}
    first = FEWEST + 1  # so slow a network is not called more often before
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
    machine.run(2, lambda timed: states.append(gc.isenabled()))
    assert states == [False, False]
    assert gc.isenabled()


def test_garbage_collection_comes_back_after_an_error():
    machine = Machine({"a": 0.001})

    def fail(timed):
        raise ValueError

    with pytest.raises(ValueError):
        machine.run(1, fail)
    assert gc.isenabled()


def test_enough_is_asked_after_each_round_and_ends_it():
    shown = []

    def is_enough(timed):
        shown.append({name: len(visits) for name, visits in timed.items()})
        return len(shown) == 3

    seconds = Machine({"a": 0.001, "b": 0.002}).run(9, is_enough)
    assert shown == [{"a": n, "b": n} for n in (1, 2, 3)]
    assert {name: len(visits) for name, visits in seconds.items()} == {"a": 3, "b": 3}

"""How a search stands: counts by rung, and the front at the highest rung reached."""

from typing import Any

from kdsearch.core.objectives import KNOWN
from kdsearch.core.records import Architecture, Candidate, Recipe
from kdsearch.search.standing import ends, front_so_far, reached
from kdsearch.search.trial import Trial

BOTH = (KNOWN["accuracy"], KNOWN["macs"])
CANDIDATE = Candidate(Architecture.of({"width": 2}), Recipe("hard"))


def trial(number: int, state: Any, scores: dict[int, tuple[float, ...]], **more: Any) -> Trial:
    return Trial(number, CANDIDATE, state, scores, **more)


TRIALS = [
    trial(0, "complete", {0: (0.3, 5.0), 1: (0.6, 5.0)}),
    trial(1, "stopped", {0: (0.9, 1.0)}),
    trial(2, "running", {0: (0.5, 9.0), 1: (0.8, 9.0)}),
    trial(3, "complete", {0: (0.5, 7.0), 1: (0.5, 7.0)}),
    trial(4, "stopped", {0: (0.9, 0.1), 1: (0.99, 0.1)}, violations={"params": 0.5}),
    trial(5, "running", {}),
]


def test_trials_by_rung() -> None:
    assert reached(TRIALS) == {0: 5, 1: 4}
    assert reached([]) == {}


def test_the_front_is_of_one_rung_and_within_the_budget() -> None:
    found = front_so_far(TRIALS, BOTH)
    assert found is not None and found.rung == 1
    assert [t.number for t in found.trials] == [0, 2]
    chosen = ends(found, BOTH)
    assert {name: t.number for name, t in chosen.items()} == {"cheapest": 0, "best": 2}


def test_before_the_first_training_it_is_that_of_inherited_weights() -> None:
    found = front_so_far([t for t in TRIALS if t.rung < 1], BOTH)
    assert found is not None and (found.rung, [t.number for t in found.trials]) == (0, [1])
    assert front_so_far([TRIALS[4], TRIALS[5]], BOTH) is None
    assert front_so_far([], BOTH) is None


def test_the_best_follows_the_first_objectives_direction() -> None:
    wrong = (KNOWN["calibration_error"], KNOWN["macs"])
    trials = [trial(0, "complete", {1: (0.2, 3.0)}), trial(1, "complete", {1: (0.1, 4.0)})]
    found = front_so_far(trials, wrong)
    assert found is not None
    assert {name: t.number for name, t in ends(found, wrong).items()} == {
        "cheapest": 0, "best": 1,
    }  # fmt: skip

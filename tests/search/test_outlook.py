"""Which students of a small space are worth a training: layers by hand, bounds, timing."""

from collections.abc import Mapping, Sequence

import pytest

from kdsearch.core.budget import Bound, parse
from kdsearch.core.objectives import KNOWN
from kdsearch.core.records import Architecture, Job, Result
from kdsearch.search.outlook import WIDER, Outlook
from kdsearch.search.terms import Prices, Terms

STUDENTS = [Architecture.of({"width": w}) for w in range(1, 9)]
MACS = {a.id: float(w) for w, a in enumerate(STUDENTS, start=1)}


def asked(accuracies: Sequence[float | None]) -> tuple[list[Job], dict[str, Result]]:
    """Rung 0 of the first students; None: that one failed."""
    jobs = [
        Job(f"inherited {a.id}", 0, a, None, 0, "here")
        for a, _ in zip(STUDENTS, accuracies, strict=False)
    ]
    results = {
        job.name: Result(job.name, 0, "diverged" if x is None else "done", accuracy=x)
        for job, x in zip(jobs, accuracies, strict=True)
    }
    return jobs, results


class Costs:
    """Counts MACs; times students, which it keeps account of."""

    def __init__(self, times: Mapping[str, float]) -> None:
        self.times = times
        self.timed: list[str] = []

    def counted(self, students: Sequence[Architecture]) -> dict[str, dict[str, float]]:
        return {a.id: {"macs": MACS[a.id], "params": 10 * MACS[a.id]} for a in students}

    def students(self) -> list[Architecture]:
        """Those that were timed."""
        return [a for a in STUDENTS if a.id in self.timed]

    def all(self, students: Sequence[Architecture]) -> dict[str, dict[str, float]]:
        self.timed += [a.id for a in students]
        found = self.counted(students)
        return {name: c | {"latency_ms": self.times[name]} for name, c in found.items()}


def outlook(
    costs: Costs, *objectives: str, layers: int = 1, bounds: tuple[Bound, ...] = ()
) -> Outlook:
    chosen = tuple(KNOWN[name] for name in objectives)
    terms = Terms(8, 4, (0.5, 1.0), layers, chosen, bounds, seed=0)
    prices = Prices(costs.all, lambda _: True, {"macs": 8.0, "params": 80.0})
    return Outlook(costs.counted, prices, terms)


def promising(
    look: Outlook, jobs: Sequence[Job], results: Mapping[str, Result]
) -> list[Architecture]:
    """Those in the layers that the screen lets pass while inherited weights are believed."""
    found = look.depths(jobs, results)
    return [a for a, depth in found.items() if depth < look.terms.keep_layers]


def widths(found: Sequence[Architecture]) -> list[int]:
    return sorted(int(a["width"]) for a in found)


def test_the_first_layers_of_accuracy_and_size() -> None:
    """Widths 1 to 5; 3 is behind 2, and 5 behind 4 and 2."""
    jobs, results = asked([0.3, 0.5, 0.4, 0.7, 0.45])
    costs = Costs(MACS)
    assert widths(promising(outlook(costs, "accuracy", "macs"), jobs, results)) == [1, 2, 4]
    two = outlook(costs, "accuracy", "macs", layers=2)
    assert widths(promising(two, jobs, results)) == [1, 2, 3, 4, 5]


def test_who_failed_or_breaks_a_bound_is_not_worth_a_training() -> None:
    jobs, results = asked([0.3, None, 0.4, 0.7, 0.8])
    bounds = (parse("macs", 4), parse("params", "40%"))  # at most 4, and at most 32 of 80
    look = outlook(Costs(MACS), "accuracy", "macs", bounds=bounds)
    assert widths(promising(look, jobs, results)) == [1, 3]


def test_a_bound_on_latency_is_not_held_against_what_is_counted() -> None:
    """Milliseconds, and MACs: the first look knows MACs alone."""
    jobs, results = asked([0.3, 0.5, 0.6, 0.7, 0.8])
    costs = Costs({name: macs / 1000 for name, macs in MACS.items()})
    bounds = (parse("latency_ms", 0.004), parse("macs", 4.5))
    look = outlook(costs, "accuracy", "latency_ms", bounds=bounds)
    assert widths(promising(look, jobs, results)) == [1, 2, 3, 4]
    assert widths(costs.students()) == [1, 2, 3, 4]
    tight = (parse("latency_ms", 0.002),)
    look = outlook(costs, "accuracy", "latency_ms", bounds=tight)
    assert widths(promising(look, jobs, results)) == [1, 2]


def test_layers_that_pass_where_the_ranking_is_bad_are_known_too() -> None:
    falling = [0.1 * w for w in range(8, 0, -1)]  # one layer each
    jobs, results = asked(falling)
    found = outlook(Costs(MACS), "accuracy", "macs").depths(jobs, results)
    assert {int(a["width"]): depth for a, depth in found.items()} == {1: 0, 2: 1, 3: 2}


def test_what_is_timed_was_promising_by_size_already() -> None:
    """One layer of latency needs a look at WIDER layers of size: the rest is never timed."""
    rising = [0.1 * w for w in range(1, 9)]
    falling = rising[::-1]  # each behind all smaller ones: one layer each
    jobs, results = asked(falling)
    costs = Costs({a.id: 9.0 - MACS[a.id] for a in STUDENTS})  # the larger the faster
    found = outlook(costs, "accuracy", "latency_ms").depths(jobs, results)
    assert len(set(costs.timed)) == WIDER and widths(list(found)) == [1, 2, 3]
    jobs, results = asked(rising)
    costs = Costs({a.id: MACS[a.id] for a in STUDENTS})
    found = promising(outlook(costs, "accuracy", "latency_ms"), jobs, results)
    assert len(set(costs.timed)) == 8 and widths(found) == list(range(1, 9))


def test_scores_beside_the_accuracy_count() -> None:
    jobs, _ = asked([0.5, 0.5])
    scores = [{"calibration_error": 0.3}, {"calibration_error": 0.1}]
    results = {
        job.name: Result(job.name, 0, "done", accuracy=0.5, scores=score)
        for job, score in zip(jobs, scores, strict=True)
    }
    both = outlook(Costs(MACS), "accuracy", "calibration_error", "macs")
    assert widths(promising(both, jobs, results)) == [1, 2]
    plain = outlook(Costs(MACS), "accuracy", "macs")
    assert widths(promising(plain, jobs, results)) == [1]


@pytest.mark.parametrize("accuracies", [[], [None, None]])
def test_where_nobody_is_left(accuracies: list[float | None]) -> None:
    jobs, results = asked(accuracies)
    assert outlook(Costs(MACS), "accuracy", "macs").depths(jobs, results) == {}

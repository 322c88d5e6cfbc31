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


def widths(found: Sequence[Architecture]) -> list[int]:
    return sorted(int(a["width"]) for a in found)


def test_the_first_layers_of_accuracy_and_size() -> None:
    """Widths 1 to 5; 3 is behind 2, and 5 behind 4 and 2."""
    jobs, results = asked([0.3, 0.5, 0.4, 0.7, 0.45])
    costs = Costs(MACS)
    assert widths(outlook(costs, "accuracy", "macs").promising(jobs, results)) == [1, 2, 4]
    two = outlook(costs, "accuracy", "macs", layers=2)
    assert widths(two.promising(jobs, results)) == [1, 2, 3, 4, 5]


def test_who_failed_or_breaks_a_bound_is_not_worth_a_training() -> None:
    jobs, results = asked([0.3, None, 0.4, 0.7, 0.8])
    bounds = (parse("macs", 4), parse("params", "40%"))  # at most 4, and at most 32 of 80
    look = outlook(Costs(MACS), "accuracy", "macs", bounds=bounds)
    assert widths(look.promising(jobs, results)) == [1, 3]


def test_what_is_timed_was_promising_by_size_already() -> None:
    """One layer of latency needs a look at WIDER layers of size: the rest is never timed."""
    rising = [0.1 * w for w in range(1, 9)]
    falling = rising[::-1]  # each behind all smaller ones: one layer each
    jobs, results = asked(falling)
    costs = Costs({a.id: 9.0 - MACS[a.id] for a in STUDENTS})  # the larger the faster
    found = outlook(costs, "accuracy", "latency_ms").promising(jobs, results)
    assert len(set(costs.timed)) == WIDER and widths(found) == [1, 2, 3]
    jobs, results = asked(rising)
    costs = Costs({a.id: MACS[a.id] for a in STUDENTS})
    found = outlook(costs, "accuracy", "latency_ms").promising(jobs, results)
    assert len(set(costs.timed)) == 8 and widths(found) == list(range(1, 9))


def test_scores_beside_the_accuracy_count() -> None:
    jobs, _ = asked([0.5, 0.5])
    scores = [{"calibration_error": 0.3}, {"calibration_error": 0.1}]
    results = {
        job.name: Result(job.name, 0, "done", accuracy=0.5, scores=score)
        for job, score in zip(jobs, scores, strict=True)
    }
    both = outlook(Costs(MACS), "accuracy", "calibration_error", "macs")
    assert widths(both.promising(jobs, results)) == [1, 2]
    plain = outlook(Costs(MACS), "accuracy", "macs")
    assert widths(plain.promising(jobs, results)) == [1]


@pytest.mark.parametrize("accuracies", [[], [None, None]])
def test_where_nobody_is_left(accuracies: list[float | None]) -> None:
    jobs, results = asked(accuracies)
    assert outlook(Costs(MACS), "accuracy", "macs").promising(jobs, results) == []

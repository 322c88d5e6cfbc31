"""The student for a budget: never one over it, and a refusal only where none fits."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdsearch.core.budget import Bound, parse
from kdsearch.errors import BudgetError, RunError, UserError
from kdsearch.files import read_json
from kdsearch.pipeline.query import choose, objectives_of, query, read_bounds, words
from kdsearch.rundir import RunDir

COSTS = ("latency_ms", "params", "macs")
Front = dict[str, Any]


def point(number: int, accuracy: float, costs: dict[str, float], width: float = 0.0) -> Any:
    """A point of front.json; the latency's interval is `width` wide on both sides."""
    p50 = costs["latency_ms"]
    timed = {"p50": p50, "p95": 2 * p50, "ci95": [p50 * (1 - width), p50 * (1 + width)]}
    return {
        "id": f"s{number:03d}",
        "search_accuracy": accuracy,
        "search_accuracy_ci95": [accuracy, accuracy],
        "test_accuracy": accuracy,
        "params": costs["params"],
        "macs": costs["macs"],
        "latency": {"here": timed},
    }


def front(points: list[Any], largest: dict[str, float] | None = None) -> Front:
    costs = [
        {"latency_ms": p["latency"]["here"]["p50"], "params": p["params"], "macs": p["macs"]}
        for p in points
    ]
    ends = {
        "smallest": {name: min(c[name] for c in costs) for name in COSTS},
        "largest": largest or {name: max(c[name] for c in costs) for name in COSTS},
    }
    return {"points": points, "space": {"name": "here", "count": 9, **ends}}


AMOUNT = st.floats(1e-3, 1e3)
FRONTS = st.lists(
    st.tuples(
        st.floats(0, 1), st.fixed_dictionaries(dict.fromkeys(COSTS, AMOUNT)), st.floats(0, 0.9)
    ),
    min_size=1,
    max_size=8,
).map(lambda rows: front([point(n, *row) for n, row in enumerate(rows)]))
BOUND = st.one_of(
    st.builds(lambda name, value: parse(name, value), st.sampled_from(COSTS), AMOUNT),
    st.builds(
        lambda name, share: parse(name, f"{share}%"), st.sampled_from(COSTS), st.floats(1, 200)
    ),
    st.builds(lambda x: parse("accuracy", x, upper=False), st.floats(0.01, 1)),
)


def keeps(point: Any, bound: Bound, front: Front) -> bool:
    """Whether a student keeps a bound, in plain words."""
    limit = bound.value
    if bound.name == "accuracy":
        return point["search_accuracy"] >= limit
    if bound.relative:
        limit = limit * front["space"]["largest"][bound.name]
    timed = point["latency"]["here"]["ci95"][1]
    return (timed if bound.name == "latency_ms" else point[bound.name]) <= limit


@given(front=FRONTS, bounds=st.lists(BOUND, max_size=4))
def test_the_best_within_the_bounds_or_a_refusal(front: Front, bounds: list[Bound]) -> None:
    within = [p for p in front["points"] if all(keeps(p, b, front) for b in bounds)]
    if not within:
        with pytest.raises(BudgetError) as caught:
            choose(front, bounds)
        assert len(str(caught.value).splitlines()) == 1
        return
    answer = choose(front, bounds)
    assert answer.student in within
    assert answer.student["search_accuracy"] == max(p["search_accuracy"] for p in within)
    assert sorted([answer.student["id"], *answer.others]) == sorted(p["id"] for p in within)
    assert all(room >= 0 and math.isfinite(room) for room in answer.margins.values())
    assert words(answer).startswith(answer.student["id"])


@given(front=FRONTS, bounds=st.lists(BOUND, min_size=1, max_size=4))
def test_a_refusal_names_a_bound_that_its_nearest_student_breaks(
    front: Front, bounds: list[Bound]
) -> None:
    if any(all(keeps(p, b, front) for b in bounds) for p in front["points"]):
        return
    with pytest.raises(BudgetError) as caught:
        choose(front, bounds)
    line = str(caught.value)
    (nearest,) = [p for p in front["points"] if f"nearest is {p['id']} " in line]
    starts = [line.partition(end)[0] for end in (";", " (=")]
    named = [b for b in bounds if f"no student keeps {b}" in starts]
    assert named and all(not keeps(nearest, b, front) for b in named)


THREE = front(
    [
        point(1, 0.80, {"latency_ms": 1.0, "params": 100, "macs": 1000}, width=0.1),
        point(2, 0.90, {"latency_ms": 2.0, "params": 400, "macs": 4000}, width=0.1),
        point(3, 0.95, {"latency_ms": 4.0, "params": 900, "macs": 9000}, width=0.1),
    ],
    largest={"latency_ms": 8.0, "params": 1000, "macs": 10_000},
)
THREE["space"]["smallest"] = {"latency_ms": 0.5, "params": 50, "macs": 500}


@pytest.mark.parametrize(
    ("upper", "lower", "student", "margins"),
    [
        ([], [], "s003", {}),
        (["latency_ms=2.2"], [], "s002", {"latency_ms <= 2.2": 0.0}),
        (["latency_ms=2.1"], [], "s001", {"latency_ms <= 2.1": 1 - 1.1 / 2.1}),
        (["latency_ms=50%"], [], "s002", {"latency_ms <= 50%": 1 - 2.2 / 4}),
        (["params=90%", "macs=5000"], [], "s002",
         {"params <= 90%": 5 / 9, "macs <= 5000": 0.2}),
        (["params=900"], ["accuracy=0.9"], "s003",
         {"params <= 900": 0.0, "accuracy >= 0.9": 0.05 / 0.9}),
    ],
)  # fmt: skip
def test_bounds_absolute_and_relative(
    upper: list[str], lower: list[str], student: str, margins: dict[str, float]
) -> None:
    """A latency is held at the upper end of its interval; 50% is of the largest student."""
    answer = choose(THREE, read_bounds(upper, lower))
    assert answer.student["id"] == student
    assert answer.margins == pytest.approx(margins, abs=1e-12)


@pytest.mark.parametrize(
    ("upper", "lower", "line"),
    [
        (
            ["params=60"],
            [],
            "no student keeps params <= 60; nearest is s001 with params 100, 66.7% beyond; "
            "the smallest value in the space is 50",
        ),
        (
            ["latency_ms=10%"],
            [],
            "no student keeps latency_ms <= 10% (= 0.8); nearest is s001 with latency_ms 1.1, "
            "37.5% beyond; the smallest value in the space is 0.5",
        ),
        (
            [],
            ["accuracy=0.99"],
            "no student keeps accuracy >= 0.99; nearest is s003 with accuracy 0.95, "
            "4.0% short; the most accurate student has 0.95",
        ),
        (  # s002 misses the accuracy by less than s003 the latency: the accuracy binds
            ["latency_ms=2.2"],
            ["accuracy=0.92"],
            "no student keeps accuracy >= 0.92; nearest is s002 with accuracy 0.9, "
            "2.2% short; the most accurate student has 0.95",
        ),
        (
            ["macs=1"],
            [],
            "no student keeps macs <= 1; nearest is s001 with macs 1000, 1000 times as much; "
            "the smallest value in the space is 500",
        ),
        (  # of two bounds on one cost the tighter one binds
            ["params=80%", "params=70"],
            [],
            "no student keeps params <= 70; nearest is s001 with params 100, 42.9% beyond; "
            "the smallest value in the space is 50",
        ),
        (
            ["params=70", "params=80%"],
            [],
            "no student keeps params <= 70; nearest is s001 with params 100, 42.9% beyond; "
            "the smallest value in the space is 50",
        ),
    ],
)
def test_a_refusal_says_what_binds(upper: list[str], lower: list[str], line: str) -> None:
    with pytest.raises(BudgetError) as caught:
        choose(THREE, read_bounds(upper, lower))
    assert str(caught.value) == line
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("upper", "lower", "line"),
    [
        (["latency=5"], [], "unknown bound 'latency'; did you mean 'latency_ms'?"),
        (["params"], [], "'params' is no bound; the form is latency_ms=0.5 or params=60%"),
        (["params=x"], [], "params = 'x'; a bound is a number above 0, or a share like '60%'"),
        (["params=-1"], [], "params = '-1'; a bound is a number above 0"),
        (["params=nan"], [], "params = 'nan'; a bound is a number above 0"),
        ([], ["accuracy=90%"], "accuracy = '90%'; an accuracy is absolute, for example 0.9"),
        ([], ["params=5"], "'params' can be bound from above (a maximum) alone"),
        (["accuracy=0.9"], [], "'accuracy' can be bound from below (a minimum) alone"),
        (["macro_f1=0.9"], [], "unknown bound 'macro_f1'; allowed: "),
    ],
)
def test_a_wrong_bound_gives_one_line(upper: list[str], lower: list[str], line: str) -> None:
    with pytest.raises(UserError) as caught:
        read_bounds(upper, lower)
    assert str(caught.value).startswith(line)
    assert len(str(caught.value).splitlines()) == 1


def scored(number: int, f1: float, error: float, own: float) -> Any:
    """A point of a run that asked for other scores than the accuracy."""
    costs = {"latency_ms": float(number), "params": 10, "macs": 100}
    scores = {"macro_f1": f1, "calibration_error": error, "worst": own}
    more = {"scores": scores, "costs": costs | {"latency_p95_ms": 9.0, "energy_uj": number}}
    return point(number, 0.9 - number / 10, costs) | more


SCORES = front([scored(1, 0.7, 0.05, -3.0), scored(2, 0.8, 0.2, -1.0)])
SCORES["directions"] = {
    "macro_f1": "maximize",
    "calibration_error": "minimize",
    "worst": "maximize",
    "latency_ms": "minimize",
}
SCORES["space"]["largest"] |= {"latency_p95_ms": 10.0, "energy_uj": 4.0}
SCORES["space"]["smallest"] |= {"latency_p95_ms": 1.0, "energy_uj": 0.5}


@pytest.mark.parametrize(
    ("upper", "lower", "student"),
    [
        ([], [], "s002"),  # ranked by macro-F1, the run's first objective
        (["calibration_error=0.1"], [], "s001"),
        ([], ["worst=-2"], "s002"),
        ([], ["accuracy=0.75"], "s001"),
        (["energy_uj=25%"], [], "s001"),
        (["latency_p95_ms=95%"], ["macro_f1=0.75"], "s002"),
    ],
)
def test_every_objective_of_a_run_may_be_bound(
    upper: list[str], lower: list[str], student: str
) -> None:
    answer = choose(SCORES, read_bounds(upper, lower, objectives_of(SCORES)))
    assert answer.student["id"] == student
    assert all(math.isfinite(room) and room >= 0 for room in answer.margins.values())
    assert "macro-F1 0." in words(answer) and "worst -" in words(answer)


@pytest.mark.parametrize(
    ("upper", "lower", "line"),
    [
        (["calibration_error=0.01"], [], "no student keeps calibration_error <= 0.01; nearest "
         "is s001 with calibration_error 0.05, 400.0% beyond; the best student has 0.05"),
        ([], ["worst=0"], "no student keeps worst >= 0; nearest is s002 with worst -1, 100.0% "
         "short; the best student has -1"),
    ],
)  # fmt: skip
def test_a_refusal_by_a_score(upper: list[str], lower: list[str], line: str) -> None:
    with pytest.raises(BudgetError) as caught:
        choose(SCORES, read_bounds(upper, lower, objectives_of(SCORES)))
    assert str(caught.value) == line


def test_a_query_reads_the_run(finished: RunDir) -> None:
    answer = query(finished, ())
    points = read_json(finished.front)["points"]
    assert answer.student["search_accuracy"] == max(p["search_accuracy"] for p in points)
    with pytest.raises(RunError, match="no run here"):
        query(RunDir(finished.root / "nothing"), ())

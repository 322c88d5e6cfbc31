"""What a page offers to choose from: of several latency targets, of old files, of a search."""

import copy
from typing import Any

import pytest

from kdsearch.config.objectives import objectives_of
from kdsearch.files import read_json
from kdsearch.pipeline.delivered import keep
from kdsearch.pipeline.evidence import deciding, evidence
from kdsearch.pipeline.report_choice import choice
from kdsearch.pipeline.report_students import alike, intervals, students, targets
from kdsearch.pipeline.trials import recorded
from kdsearch.rundir import RunDir

OBJECTIVES = objectives_of(("accuracy", "macs"))


@pytest.fixture
def front(finished: RunDir) -> dict[str, Any]:
    content: dict[str, Any] = copy.deepcopy(read_json(finished.front))
    return content


def of_two_targets(front: dict[str, Any]) -> dict[str, Any]:
    """As a run with a second target writes it."""
    for point in front["points"]:
        (timed,) = point["latency"].values()
        more = {"p99": 9.0, "p95_ci95": [7.0, 8.0], "p99_ci95": [8.5, 9.5]}
        point["latency"] = {
            "server": {**timed, **more},
            "edge": {**timed, "p50": 3.0, "ci95": [2.0, 4.0], **more},
        }
        point["predicted_latency"] = {"edge": {"p50": 3.1, "interval90": [2.5, 3.5]}}
    front["targets"] = {"server": {"runtime": "onnxruntime"}, "edge": {"runtime": "eager"}}
    return front


def test_every_interval_of_every_target_has_its_name(front: dict[str, Any]) -> None:
    point = of_two_targets(front)["points"][0]
    found = intervals(point)
    assert found["latency_ms@edge"] == (2.0, 4.0)
    assert found["latency_p95_ms"] == found["latency_p95_ms@edge"] == (7.0, 8.0)
    assert found["latency_p99_ms@edge"] == (8.5, 9.5)
    assert found["accuracy"] == tuple(point["search_accuracy_ci95"])
    assert "latency_ms@server" not in found, "the first target's costs have bare names"


def test_files_of_before_have_fewer(front: dict[str, Any]) -> None:
    point = front["points"][0]
    for timed in point["latency"].values():
        for key in ("p99", "p95_ci95", "p99_ci95", "layout", "size", "load", "busy"):
            timed.pop(key, None)
    for key in ("scores_ci95", "test_scores", "seeds", "rung"):
        point.pop(key, None)
    front.pop("targets", None)
    (row,) = students([point], OBJECTIVES)
    (timed,) = row.latencies
    assert (timed.p99_ms, timed.p95_ci95_ms, timed.predicted_ms) == (None, None, None)
    assert set(intervals(point)) == {"accuracy", "latency_ms"}
    assert list(targets(front)) == list(point["latency"])
    assert targets(None) == targets({"points": []}) == {}


def test_predictions_stand_beside_what_was_measured(front: dict[str, Any]) -> None:
    row = students(of_two_targets(front)["points"], OBJECTIVES)[0]
    first, second = row.latencies
    assert first.predicted_ms is None
    assert (second.p50_ms, second.predicted_ms, second.predicted_90_ms) == (
        3.0,
        3.1,
        (2.5, 3.5),
    )
    assert targets(front)["edge"]["runtime"] == "eager"


def test_what_was_predicted_alone_is_called_so(finished: RunDir, front: dict[str, Any]) -> None:
    for point in of_two_targets(front)["points"]:
        point["latency"]["edge"]["predicted"] = True
    row = students(front["points"], OBJECTIVES)[0]
    assert [one.is_predicted for one in row.latencies] == [False, True]
    found = choice(finished, front, OBJECTIVES, [], limits={}, teacher=None)
    assert found is not None
    names = {name for one in found.candidates for name in one.predicted}
    assert names == {"latency_ms@edge", "latency_p95_ms@edge", "latency_p99_ms@edge"}


def test_alike_are_those_whose_intervals_overlap(front: dict[str, Any]) -> None:
    a, b, c = (copy.deepcopy(front["points"][0]) for _ in range(3))
    for point, name, ends in ((a, "a", [0.1, 0.2]), (b, "b", [0.15, 0.3]), (c, "c", [0.25, 1])):
        point |= {"id": name, "search_accuracy_ci95": ends, "scores_ci95": {"accuracy": ends}}
    assert alike(a, [a, b, c])["accuracy"] == ("b",)
    assert alike(b, [a, b, c])["accuracy"] == ("a", "c")
    assert alike(a, [a, b, c])["latency_ms"] == ("b", "c")


def test_a_bound_is_held_against_what_query_holds_it_against(
    finished: RunDir, front: dict[str, Any]
) -> None:
    found = choice(finished, front, OBJECTIVES, [], limits={"macs": 5.0}, teacher=None)
    assert found is not None
    for one, point in zip(found.candidates, front["points"], strict=True):
        known = evidence(point)
        assert one.guaranteed == {name: deciding(fact) for name, fact in known.items()}
        assert one.values.keys() - {"test_accuracy"} == known.keys()
    bound = {one.name for one in found.quantities if one.bound}
    assert {"accuracy", "latency_ms", "latency_p95_ms", "params", "macs", "energy_uj"} <= bound
    assert [one.name for one in found.quantities if one.asked] == ["accuracy", "macs"]
    assert found.limits == {"macs": 5.0} and found.published


def test_students_delivered_since_may_be_chosen(copied: RunDir, front: dict[str, Any]) -> None:
    more = {**front["points"][0], "id": "s999"}
    keep(copied, more)
    found = choice(copied, front, OBJECTIVES, [], limits={}, teacher=None)
    assert found is not None
    *others, last = found.candidates
    assert (last.id, last.card) == ("s999", "")
    assert [one.card for one in others] == [f"card-{n + 1}" for n in range(len(others))]


def test_before_the_front_the_search_so_far(finished: RunDir) -> None:
    trials = recorded(finished, finished.facts()["study"])
    found = choice(finished, None, OBJECTIVES, trials, limits={}, teacher=None)
    assert found is not None and not found.published
    shown = {one.id for one in found.candidates} | {one.name for one in found.trials}
    assert shown == {f"trial {t.number}" for t in trials if t.scores}
    assert all(one.guaranteed == one.values for one in found.candidates)
    assert choice(finished, None, OBJECTIVES, [], limits={}, teacher=None) is None

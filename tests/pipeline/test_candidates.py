"""Trials as students that might be: what is expected of them, what is known of their costs."""

import json
from pathlib import Path
from typing import Any

import pytest

from kdsearch.core.records import Architecture, Candidate, Recipe
from kdsearch.files import read_json
from kdsearch.pipeline.candidates import (
    all_trials,
    as_facts,
    gains,
    is_score,
    latencies,
    searched,
)
from kdsearch.pipeline.evidence import deciding, evidence
from kdsearch.pipeline.query import asked
from kdsearch.pipeline.query_words import words
from kdsearch.rundir import RunDir
from kdsearch.search.trial import Trial

NAMES = ("accuracy", "macs", "worst")


def trial(number: int, scores: dict[int, tuple[float, ...]]) -> Trial:
    candidate = Candidate(Architecture.of({"width": number}), Recipe.of("hard", {}))
    return Trial(number, candidate, "stopped", scores)


def point(number: int, accuracy: float, worst: float) -> dict[str, Any]:
    return {"trial": number, "scores": {"accuracy": accuracy, "worst": worst}}


def test_what_is_gained_is_the_mean_over_published_students() -> None:
    trials = {
        1: trial(1, {0: (0.3, 9, 0.1), 1: (0.6, 9, 0.2)}),
        2: trial(2, {1: (0.7, 9, 0.3)}),
    }
    found = gains([point(1, 0.8, 0.5), point(2, 0.8, 0.5), point(3, 0.9, 0.9)], trials, NAMES)
    assert found == {
        0: pytest.approx({"accuracy": 0.5, "worst": 0.4}),
        1: pytest.approx({"accuracy": 0.15, "worst": 0.25}),
    }


def test_a_trial_is_expected_to_gain_as_much() -> None:
    one = searched(trial(7, {1: (0.7, 9, 0.3)}), NAMES, {"accuracy": 0.5, "worst": 1.0})
    assert (one["id"], one["trained"], one["rung"]) == ("s007", False, 1)
    assert one["scores_at_rung"] == {"accuracy": 0.7, "worst": 0.3}
    assert one["scores"] == {"accuracy": 1.0, "worst": 1.3}, "an accuracy is a share"
    assert one["search_accuracy"] == 1.0
    assert [is_score(name) for name in (*NAMES, "latency_p95_ms@edge")] == [
        True, False, True, False
    ]  # fmt: skip


def test_latencies_are_read_from_the_books(tmp_path: Path) -> None:
    """The first target's lie in latency/, further ones in latencies/TARGET/."""
    front = {"points": [{"latency": {"server": {}, "edge": {}}}]}
    kept = {"p50_ms": 2.0, "p95_ms": 3.0, "ci95": [1.9, 2.1], "rounds": 4, "busy": False}
    edge = {**kept, "p99_ms": 9.0, "p99_ci95": [8.0, 9.5], "p95_ci95": None}
    for folder, content in (("latencies/edge", edge), ("latency", kept)):
        found = latencies(RunDir(tmp_path), front, "abc")
        bounds = {
            "latency_ms@edge": 2.1,
            "latency_p95_ms@edge": 3.0,
            "latency_p99_ms@edge": 9.5,
        }
        ends = {name: deciding(one) for name, one in evidence({"latency": found}).items()}
        assert ends == (bounds if folder == "latency" else {}), "the first may be missing"
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "abc.json").write_text(json.dumps(content))
    found = latencies(RunDir(tmp_path), front, "abc")
    assert list(found) == ["server", "edge"]
    assert found["server"] == {"p50": 2.0, "p95": 3.0, "ci95": [1.9, 2.1], "busy": False}
    assert found["edge"]["p99_ci95"] == [8.0, 9.5]
    known = evidence({"latency": found})
    ends = {name: deciding(one) for name, one in known.items()}
    assert ends == {
        "latency_ms": 2.1,
        "latency_p95_ms": 3.0,
        "latency_ms@edge": 2.1,
        "latency_p95_ms@edge": 3.0,
        "latency_p99_ms@edge": 9.5,
    }
    assert as_facts({**kept, "predicted": True})["predicted"]
    assert as_facts({"p50_ms": 1.0, "p95_ms": 1.0, "ci95": [1, 1]}).keys() == {
        "p50", "p95", "ci95"
    }  # fmt: skip


def test_what_was_only_predicted_is_known_too(tmp_path: Path) -> None:
    """A run's latency/ is a link to a folder, by whose name predictions are kept."""
    run, book = RunDir(tmp_path / "run"), tmp_path / "store" / "book-7"
    book.mkdir(parents=True)
    run.root.mkdir()
    run.link("latency", book)
    front = {"points": [{"latency": {"server": {}}}]}
    said = {"p50_ms": 2.0, "p95_ms": 3.0, "ci95": [1.9, 2.1], "rounds": 0, "predicted": True}
    (run.predictions / book.name).mkdir(parents=True)
    (run.predictions / book.name / "abc.json").write_text(json.dumps(said))
    (found,) = latencies(run, front, "abc").values()
    assert found["predicted"] and found["p50"] == 2.0
    assert deciding(evidence({"latency": {"server": found}})["latency_ms"]) == 2.1
    (book / "abc.json").write_text(json.dumps({**said, "p50_ms": 2.5, "predicted": False}))
    (found,) = latencies(run, front, "abc").values()
    assert found["p50"] == 2.5 and "predicted" not in found, "what is measured comes first"


def test_a_query_among_trials_has_the_front_too(finished: RunDir) -> None:
    front = read_json(finished.front)
    whole = all_trials(finished, front, {})["points"]
    more = [p for p in whole if not p.get("trained", True)]
    assert whole[: len(front["points"])] == front["points"] and more
    assert len({p["id"] for p in whole}) == len(whole)
    answer = asked(finished, ["macs=100%"], ["accuracy=0.01"], "trials")
    assert {one.student["id"] for one in answer.choices} == {p["id"] for p in whole}
    best = [one.score.value for one in answer.choices]
    assert best == sorted(best, reverse=True)
    assert "* not trained to the end" in words(answer, top=99)


def test_what_the_search_had_no_use_for_is_counted(finished: RunDir) -> None:
    """Parameters are in no file of a search for accuracy and MACs."""
    answer = asked(finished, ["params=100%"], [], "trials")
    stopped = [one for one in answer.choices if not one.student.get("trained", True)]
    assert stopped
    for one in stopped:
        assert one.kept[0].known.value == one.student["costs"]["params"] > 0

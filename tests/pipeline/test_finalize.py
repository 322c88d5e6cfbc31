"""front.json: its schema key by key, and that it says what is true of the weights beside it."""

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from kdsearch.config import parse_config
from kdsearch.core.progress import Silent
from kdsearch.core.records import Architecture, Candidate, Recipe
from kdsearch.data.augment import normalise
from kdsearch.data.load import load_search
from kdsearch.data.records import Split
from kdsearch.data.test_split import open_test
from kdsearch.distill import METHODS
from kdsearch.errors import SearchError
from kdsearch.files import read_json
from kdsearch.measure.accuracy import wilson_ci95
from kdsearch.measure.energy import energy_uj
from kdsearch.measure.size import macs, params
from kdsearch.nets import FAMILIES
from kdsearch.pipeline.finalize import finalized
from kdsearch.pipeline.publish import nothing_left, over_budget
from kdsearch.pipeline.search import Found
from kdsearch.pipeline.students import network
from kdsearch.pipeline.trials import trials
from kdsearch.rundir import RunDir
from kdsearch.search.trial import Trial
from kdsearch.spaces import load_space

TARGET = "onnxruntime, 1 thread, batch 1"
SPACE = load_space("resnet-tiny")
Front = dict[str, Any]


@pytest.fixture
def front(finished: RunDir) -> Front:
    found: Front = read_json(finished.front)
    return found


def typed(content: Any) -> Any:
    """The names of the types, key by key; a list of numbers by that of its first."""
    if isinstance(content, dict):
        return {key: typed(value) for key, value in content.items()}
    return [typed(content[0])] if isinstance(content, list) else type(content).__name__


def test_the_schema_of_the_front(front: Front) -> None:
    costs = {
        "params": "int",
        "macs": "int",
        "energy_uj": "float",
        "latency_ms": "float",
        "latency_p95_ms": "float",
        "latency_p99_ms": "float",
    }
    assert {key: typed(value) for key, value in front.items() if key != "points"} == {
        "schema": "int",
        "kdsearch_version": "str",
        "run": "str",
        "data_hash": "str",
        "teacher_hash": "str",
        "objectives": ["str"],
        "directions": {"accuracy": "str", "macs": "str"},
        "hypervolume": "float",
        "reference_point": {"accuracy": "float", "macs": "float"},
        "space": {"name": "str", "count": "int", "largest": costs, "smallest": costs},
        "targets": {
            "onnxruntime, 1 thread, batch 1": {
                "runtime": "str",
                "threads": "int",
                "batch_size": "int",
                "precision": "str",
                "layout": "str",
                "size": "NoneType",
                "device": "str",
            }
        },
    }
    assert front["schema"] == 1
    assert front["objectives"] == ["accuracy", "macs"]
    assert front["directions"] == {"accuracy": "maximize", "macs": "minimize"}
    assert (front["space"]["name"], front["space"]["count"]) == ("resnet-tiny", 1000)


def test_the_schema_of_a_point(front: Front) -> None:
    assert front["points"]
    for point in front["points"]:
        SPACE.space.check(point["architecture"])
        recipe = point["recipe"]
        assert recipe.keys() == {"method", "knobs"}
        METHODS[recipe["method"]].knobs.check(recipe["knobs"])
        assert typed({**point, "architecture": {}, "recipe": {}}) == {
            "id": "str",
            "architecture": {},
            "recipe": {},
            "trial": "int",
            "rung": "int",
            "seeds": "int",
            "search_accuracy": "float",
            "search_accuracy_ci95": ["float"],
            "test_accuracy": "float",
            "test_accuracy_ci95": ["float"],
            "scores": {"accuracy": "float"},
            "scores_ci95": {"accuracy": ["float"]},
            "test_scores": {"accuracy": "float"},
            "params": "int",
            "macs": "int",
            "costs": {
                "params": "int",
                "macs": "int",
                "energy_uj": "float",
                "latency_ms": "float",
                "latency_p95_ms": "float",
                "latency_p99_ms": "float",
            },
            "weights": "str",
            "latency": {
                TARGET: {
                    "p50": "float",
                    "p95": "float",
                    "p99": "float",
                    "ci95": ["float"],
                    "p95_ci95": ["float"],
                    "p99_ci95": ["float"],
                    "load": "float",
                    "busy": "bool",
                    "drift": "float",
                    "device": "str",
                    "runtime": "str",
                    "batch_size": "int",
                    "threads": "int",
                    "precision": "str",
                    "layout": "str",
                    "size": "NoneType",
                }
            },
        }


def test_numbers_lie_where_they_can(front: Front) -> None:
    for point in front["points"]:
        for name in ("search_accuracy", "test_accuracy"):
            low, high = point[f"{name}_ci95"]
            assert 0 <= low <= point[name] <= high <= 1
        timed = point["latency"][TARGET]
        low, high = timed["ci95"]
        assert 0 < low <= timed["p50"] <= high
        assert timed["p50"] <= timed["p95"] < 1000
        assert (timed["runtime"], timed["batch_size"], timed["threads"]) == (
            "onnxruntime",
            1,
            1,
        )


def test_no_point_is_dominated_and_all_are_at_one_rung(front: Front) -> None:
    points = [(-p["search_accuracy"], p["macs"]) for p in front["points"]]
    for one in points:
        assert not any(a[0] <= one[0] and a[1] <= one[1] and a != one for a in points)
    assert {p["rung"] for p in front["points"]} == {2}
    times = [p["latency"][TARGET]["p50"] for p in front["points"]]
    assert times == sorted(times), "fastest first"
    assert len({p["id"] for p in front["points"]}) == len(points)


def test_scores_and_costs_are_told_by_objective_too(front: Front) -> None:
    for point in front["points"]:
        assert point["scores"] == {"accuracy": point["search_accuracy"]}
        assert point["scores_ci95"] == {"accuracy": point["search_accuracy_ci95"]}
        assert point["test_scores"] == {"accuracy": point["test_accuracy"]}
        timed, costs = point["latency"][TARGET], point["costs"]
        assert (costs["latency_ms"], costs["latency_p95_ms"]) == (timed["p50"], timed["p95"])
        assert (costs["params"], costs["macs"]) == (point["params"], point["macs"])
        assert costs["energy_uj"] == energy_uj(point["params"], point["macs"])


def test_a_point_is_the_trial_it_names(front: Front, finished: RunDir) -> None:
    found = trials(finished)
    for point in front["points"]:
        trial = found[point["trial"]]
        assert point["id"] == f"s{point['trial']:03d}"
        assert trial.state == "complete"
        assert trial.candidate.architecture == Architecture.of(point["architecture"])
        recipe = Recipe.of(point["recipe"]["method"], point["recipe"]["knobs"])
        assert trial.candidate.recipe == recipe


def right(net: nn.Module, split: Split, run: RunDir) -> int:
    """How many images of a split the network names rightly, one plain forward."""
    info = load_search(run.root / "data").info
    images = normalise(split.images, info.mean, info.std)
    with torch.no_grad():
        logits = net(images).logits
    return int((logits.argmax(1) == split.labels).sum())


def test_the_weights_give_exactly_the_stated_accuracies(
    front: Front, finished: RunDir, tmp_path: Any
) -> None:
    search_val = load_search(finished.root / "data").search_val
    test = open_test(finished.root / "data", purpose="a test", log=tmp_path / "log")
    for point in front["points"]:
        assert (finished.root / point["weights"]).is_file()
        net = network(finished, point["id"])
        for name, split in (("search_accuracy", search_val), ("test_accuracy", test)):
            hits = right(net, split, finished)
            assert point[name] == hits / len(split)
            assert point[f"{name}_ci95"] == list(wilson_ci95(hits, len(split)))


def test_costs_are_those_of_the_network(front: Front, finished: RunDir) -> None:
    for point in front["points"]:
        net = network(finished, point["id"])
        assert point["params"] == params(net) == sum(p.numel() for p in net.parameters())
        assert point["macs"] == macs(net, (1, 8, 8))
    for end, point in (
        ("smallest", SPACE.space.smallest()),
        ("largest", SPACE.space.largest()),
    ):
        net = FAMILIES["resnet"].student(Architecture.of(point), 1, 10)
        assert front["space"][end]["params"] == params(net)
        assert front["space"][end]["macs"] == macs(net, (1, 8, 8))


def test_the_hypervolume_is_the_area_above_the_reference(front: Front) -> None:
    """Accuracy above chance × log10 of MACs below 1.1 × the largest student's."""
    reference = front["reference_point"]
    assert reference["accuracy"] == 0.1
    assert reference["macs"] == pytest.approx(1.1 * front["space"]["largest"]["macs"])
    area, best = 0.0, reference["accuracy"]
    edge = math.log10(reference["macs"])
    for point in sorted(front["points"], key=lambda p: p["macs"]):  # each more accurate
        wide = edge - math.log10(point["macs"])
        if wide > 0 and point["search_accuracy"] > best:
            area += wide * (point["search_accuracy"] - best)
            best = point["search_accuracy"]
    assert front["hypervolume"] == pytest.approx(area)


def test_hashes_name_what_is_in_the_store(front: Front, finished: RunDir) -> None:
    assert front["teacher_hash"] == (finished.root / "teacher").resolve().name
    assert front["data_hash"] == load_search(finished.root / "data").info.fingerprint
    assert front["run"] == "finished"


def test_dominated_finalists_fall_out(
    copied: RunDir, tiny: Any, go: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All equally large: only the most accurate stays, and only its weights are kept."""

    def equally_large(self: Any, architecture: Any) -> dict[str, float]:
        return {"params": 1, "macs": 1, "energy_uj": 1.0}

    monkeypatch.setattr("kdsearch.measure.book.CostBook.size", equally_large)
    go(tiny(finalists={"count": 3}), copied.root, until="finalists")
    study = copied.trials(copied.facts()["study"])
    results = [read_json(path) for path in study.glob("*/rung2.json")]
    assert len(results) >= 3
    points = read_json(copied.front)["points"]
    assert len({p["search_accuracy"] for p in points}) == 1
    assert len({r["accuracy"] for r in results}) > 1
    chosen = max(r["accuracy"] for r in results[:])
    assert points[0]["search_accuracy"] <= chosen


class Said(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def test_a_finalist_whose_workers_were_lost_is_named_and_the_others_are_published(
    copied: RunDir, tiny: Any, go: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody writes a result for it."""
    monkeypatch.setattr("kdsearch.pipeline.finalize.execute", lambda *given: None)
    trained = sorted(copied.trials(copied.facts()["study"]).glob("*/rung2.json"))
    assert len(trained) > 1
    trained[0].unlink()
    copied.front.unlink()
    said, fallen = Said(), int(trained[0].parent.name)
    go(tiny(), copied.root, said, until="finalists")
    assert (
        f"finalist {fallen} fell out: lost: its worker was lost again and again" in said.lines
    )
    published = {point["trial"] for point in read_json(copied.front)["points"]}
    assert published and published <= {int(path.parent.name) for path in trained[1:]}


def ground(**smallest: float) -> Any:
    return SimpleNamespace(ends={"smallest": smallest})


def test_the_nearest_to_a_missed_budget_is_the_one_that_misses_least_at_its_worst() -> None:
    missed = [{"macs": 0.01, "params": 9.0}, {"macs": 0.3, "params": 0.2}, {"params": 0.5}]
    assert str(over_budget(missed, ground(macs=12_345.6, params=7.0))) == (
        "no student meets the budget: macs is missed by 30% at best; the smallest student of "
        "the space has macs 1.235e+04"
    )


def test_failures_are_named_once_per_kind() -> None:
    candidate = Candidate(Architecture.of({"a": 1}), Recipe("hard"))
    reasons = ["diverged: at step 3", "bug: KeyError: 'a'", "diverged: at step 9"]
    failed = [Trial(n, candidate, "failed", reason=why) for n, why in enumerate(reasons)]
    named = "3 failed: trial 1 bug: KeyError: 'a'; trial 0 diverged: at step 3"
    assert str(nothing_left(failed, ground())) == f"no trial was completed, {named}"
    limit = "search.seconds: 0.5 s are over"
    assert str(nothing_left(failed, ground(), limit)) == (
        f"no trial was completed: {limit} first; raise it; {named}"
    )


@pytest.mark.parametrize(
    ("limit", "line"),
    [
        ("search.seconds: 0.5 s are over", "search.seconds: 0.5 s are over first; raise it"),
        ("", "3 stopped, 2 of them not among the best at rung 1"),
    ],
)
def test_where_nothing_failed_the_limit_is_named_or_why_trials_stopped(
    limit: str, line: str
) -> None:
    candidate = Candidate(Architecture.of({"a": 1}), Recipe("hard"))
    reasons = ["behind the front", *["not among the best at rung 1"] * 2]
    stopped = [Trial(n, candidate, "stopped", reason=why) for n, why in enumerate(reasons)]
    assert str(nothing_left(stopped, ground(), limit)) == f"no trial was completed: {line}"
    assert str(nothing_left([], ground())) == "no trial was completed: none was begun"


def test_the_limit_that_ended_this_search_is_named(tiny: Any, tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    context: Any = SimpleNamespace(config=parse_config(tiny()), run=run)
    for study, says in (("now", "search.seconds: 1 s are over first"), ("before", "none was")):
        run.note(ended={"study": study, "why": "search.seconds: 1 s are over", "limits": {}})
        with pytest.raises(SearchError, match=f"no trial was completed: {says}"):
            finalized(context, ground(), Found("now", [], SimpleNamespace()))  # type: ignore[arg-type]

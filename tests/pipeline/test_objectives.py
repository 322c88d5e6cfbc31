"""Whole runs with other objectives than two, or than ours: search, front, report, query."""

from pathlib import Path
from typing import Any

import pytest
import torch

from kdsearch.config import parse_config
from kdsearch.core.objectives import KNOWN, Objective, in_order
from kdsearch.core.pareto import dominates
from kdsearch.core.progress import Silent
from kdsearch.core.volume import volume
from kdsearch.data.augment import normalise
from kdsearch.data.load import load_search
from kdsearch.errors import ObjectiveError, SearchError, UserError
from kdsearch.files import read_json
from kdsearch.measure.confidence import calibration_error
from kdsearch.measure.macro_f1 import macro_f1
from kdsearch.pipeline.context import open_context
from kdsearch.pipeline.front import front_table
from kdsearch.pipeline.jobs import inherited_folder
from kdsearch.pipeline.query import asked
from kdsearch.pipeline.students import network
from kdsearch.pipeline.trials import named_scores, objective_names, row, trials
from kdsearch.rundir import RunDir

pytestmark = pytest.mark.slow

OWN = """
import torch
from pathlib import Path

CALLS = Path(__file__).with_name("calls_of_moody")

def worst_class(logits, labels):
    right = (logits.argmax(1) == labels).float()
    return torch.stack([right[labels == c].mean() for c in labels.unique()]).min()

def moody(logits, labels):
    calls = int(CALLS.read_text()) + 1 if CALLS.exists() else 1
    CALLS.write_text(str(calls))
    if calls % 3 == 0:
        return float("nan")
    if calls % 3 == 2:
        raise ValueError("not today")
    return 0.5

def raises(logits, labels):
    raise ValueError("never")

def nan(logits, labels):
    return float("nan")

def nan_from_now_on(logits, labels):
    before = Path(__file__).with_name("called_before")
    called, _ = before.exists(), before.touch()
    return float("nan") if called else 0.5

def leaves(logits, labels):
    raise SystemExit(5)
"""


@pytest.fixture
def own(plugins: Path) -> str:
    (plugins / "own_scores_of_runs.py").write_text(OWN)
    return "module:own_scores_of_runs:"


def check_front(run: RunDir, objectives: list[Objective]) -> list[dict[str, Any]]:
    """Nothing on the front is dominated, and its volume is that of its points."""
    front = read_json(run.front)
    assert front["objectives"] == [one.name for one in objectives]
    assert front["directions"] == {one.name: one.direction for one in objectives}
    values = [p["scores"] | p["costs"] for p in front["points"]]
    points = [in_order(v, objectives) for v in values]
    assert points
    assert not any(dominates(a, b) for a in points for b in points)
    assert front["hypervolume"] == volume(values, objectives, front["reference_point"])
    found: list[dict[str, Any]] = front["points"]
    return found


def test_three_objectives(tiny: Any, go: Any, tmp_path: Path) -> None:
    names = ["accuracy", "macs", "params"]
    run = go(
        tiny(search={"objectives": names, "trials": 6}, finalists={"count": 3}),
        tmp_path / "run",
    )
    points = check_front(run, [KNOWN[name] for name in names])
    for point in points:
        assert list(point["scores"]) == ["accuracy"]
    assert objective_names(run) == tuple(names)
    for trial in trials(run):
        if trial.scores:
            found = row(trial, names)
            assert found["cost"] == named_scores(trial, names)["macs"]
            assert found["params"] == named_scores(trial, names)["params"]
    best = max(points, key=lambda p: p["search_accuracy"])
    assert asked(run, ["params=100%"], ["accuracy=0.01"]).student["id"] == best["id"]
    assert "The search compared by accuracy, macs, params" in run.report.read_text("utf-8")


def test_scores_other_than_accuracy(tiny: Any, go: Any, tmp_path: Path) -> None:
    names = ["macro_f1", "calibration_error", "latency_ms"]
    config = tiny(search={"objectives": names, "trials": 4}, finalists={"count": 2, "seeds": 2})
    run = go(config, tmp_path / "run")
    points = check_front(run, [KNOWN[name] for name in names])
    data = load_search(run.root / "data")
    images = normalise(data.search_val.images, data.info.mean, data.info.std)
    reference = read_json(run.front)["reference_point"]
    assert (reference["macro_f1"], reference["calibration_error"]) == (0.0, 1.0)
    for point in points:
        folder = run.trials(run.facts()["study"]) / f"{point['trial']:04d}"
        each = [read_json(f / "rung2.json")["scores"] for f in (folder, folder / "seed1")]
        with torch.no_grad():
            logits = network(run, point["id"])(images).logits
        again = {
            "macro_f1": macro_f1(logits, data.search_val.labels),
            "calibration_error": calibration_error(logits, data.search_val.labels),
        }
        assert each[0] == pytest.approx(again, abs=1e-5)
        for name, mean in point["scores"].items():
            assert mean == pytest.approx((each[0][name] + each[1][name]) / 2, abs=1e-5)
            low, high = point["scores_ci95"][name]
            assert low <= mean <= high
        assert point["test_scores"].keys() == point["scores"].keys()
    answer = asked(run, ["calibration_error=1"], ["macro_f1=0.001"])
    assert answer.student["scores"]["macro_f1"] == max(p["scores"]["macro_f1"] for p in points)
    with pytest.raises(UserError, match="unknown bound 'balanced_accuracy'"):
        asked(run, [], ["balanced_accuracy=0.5"])
    assert "macro-F1" in front_table(read_json(run.front))
    assert "calib. error" in run.report.read_text("utf-8")


def test_results_of_rung_0_are_shared_by_searches_that_ask_for_the_same_scores(
    finished: RunDir, tiny: Any
) -> None:
    """An audit, which asks for accuracies alone, must not leave its own to this search."""
    context = open_context(parse_config(tiny()), finished.root, Silent())
    supernet, info = (
        Path(finished.facts()["supernet"]),
        load_search(finished.root / "data").info,
    )
    asks = [(), (KNOWN["macro_f1"],), (KNOWN["macro_f1"], KNOWN["calibration_error"])]
    folders = {inherited_folder(context, supernet, info, one) for one in asks}
    assert len(folders) == 3
    assert inherited_folder(context, supernet, info) in folders


def test_a_function_of_ones_own(tiny: Any, go: Any, own: str, tmp_path: Path) -> None:
    """Its axis has no known end, so that the hypervolume leaves it out."""
    mine = {"function": f"{own}worst_class", "direction": "maximize"}
    search = {"objectives": ["accuracy", mine, "macs"], "trials": 4}
    run = go(tiny(search=search), tmp_path / "run")
    function = Objective("worst_class", True, True, function=f"{own}worst_class")
    points = check_front(run, [KNOWN["accuracy"], function, KNOWN["macs"]])
    assert read_json(run.front)["reference_point"].keys() == {"accuracy", "macs"}
    assert all(0 <= p["scores"]["worst_class"] <= p["search_accuracy"] for p in points)
    answer = asked(run, [], ["worst_class=0"])
    assert answer.student["id"] in {p["id"] for p in points}
    known = run.facts()["study_key"]["functions"]["worst_class"]
    assert (known["function"], known["direction"]) == (f"{own}worst_class", "maximize")


def test_a_function_that_fails_now_and_then_fails_its_trials(
    tiny: Any, go: Any, own: str, tmp_path: Path
) -> None:
    mine = {"function": f"{own}moody", "direction": "minimize"}
    search = {"objectives": ["accuracy", mine, "macs"], "trials": 6, "batch_size": 3}
    run = go(tiny(search=search), tmp_path / "run", until="search")
    found = trials(run)
    assert all(t.state != "running" for t in found)
    reasons = {t.reason for t in found if t.state == "failed"}
    assert reasons == {
        f"objective: {own}moody: ValueError: not today",
        f"objective: {own}moody: nan, and not a finite number",
    }


def test_a_function_that_always_fails_ends_with_its_reason(
    tiny: Any, go: Any, own: str, tmp_path: Path
) -> None:
    mine = {"function": f"{own}nan_from_now_on", "direction": "minimize"}
    search = {"objectives": ["accuracy", mine, "macs"], "trials": 4}
    with pytest.raises(
        SearchError, match=r"objective: module:.*:nan_.*: nan, and not a finite"
    ):
        go(tiny(search=search), tmp_path / "run")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("raises", "ValueError: never"),
        ("leaves", "SystemExit: 5"),
        ("nan", "nan, and not a finite number"),
    ],
)
def test_a_function_that_gives_no_number_is_refused_before_any_training(
    tiny: Any, go: Any, own: str, tmp_path: Path, name: str, reason: str
) -> None:
    mine = {"function": f"{own}{name}", "direction": "minimize"}
    config = tiny(search={"objectives": ["accuracy", mine, "macs"]}, teacher={"epochs": 999})
    with pytest.raises(ObjectiveError) as caught:
        go(config, tmp_path / "run")
    assert str(caught.value) == f"{own}{name}: {reason} (of random logits, 359 × 10)"

"""A whole run with two targets: one bounds and is an objective, the other is a column."""

from pathlib import Path
from typing import Any

from kdsearch.core.records import Architecture
from kdsearch.files import read_json
from kdsearch.pipeline.trials import recorded
from kdsearch.spaces import load_space

LATENCY = [
    {"name": "server", "runtime": "onnxruntime", "rounds": 3},
    {"name": "edge", "runtime": "eager", "rounds": 3},
]


def test_a_run_is_searched_on_one_target_and_published_on_both(
    tiny: Any, go: Any, tmp_path: Path
) -> None:
    config = tiny(
        latency=LATENCY,
        budget={"latency_ms@edge": "99.9%"},
        search={"trials": 4, "objectives": ["accuracy", "latency_ms@edge"]},
        finalists={"count": 2},
    )
    run = go(config, tmp_path / "two")
    front = read_json(run.front)
    limit = 0.999 * front["space"]["largest"]["latency_ms@edge"]
    assert front["objectives"] == ["accuracy", "latency_ms@edge"]
    for point in front["points"]:
        assert list(point["latency"]) == ["server", "edge"]
        assert point["costs"]["latency_ms@edge"] == point["latency"]["edge"]["p50"] <= limit
    trials = recorded(run, run.facts()["study"])
    largest = Architecture.of(load_space("resnet-tiny").space.largest())
    (over,) = [t for t in trials if t.candidate.architecture == largest]
    assert over.state == "stopped" and list(over.violations) == ["latency_ms@edge"]
    others = {t.candidate.architecture.id for t in trials}
    timed = {path.stem for path in (run.root / "latencies" / "edge").glob("*.json")}
    assert others <= timed, "the search depends on it"
    assert "edge" in run.report.read_text(encoding="utf-8")

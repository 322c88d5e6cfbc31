"""Published students that were measured on another device, put into their front."""

import json
from dataclasses import replace
from typing import Any

import pytest

from kdsearch.core.records import Architecture
from kdsearch.errors import PredictorError, RunError
from kdsearch.files import write_json
from kdsearch.measure.latency import Latency, Target
from kdsearch.measure.profile import Profile, Row
from kdsearch.pipeline.front import front_table
from kdsearch.pipeline.remeasured import published, remeasured
from kdsearch.rundir import CARD, LATENCIES, RunDir

PREDICTED = {"p50": 9.0, "p95": 9.0, "ci95": [8.0, 10.0], "predicted": True}


def measured(architectures: list[Architecture]) -> Profile:
    """The n-th takes n + 1 milliseconds."""
    rows = [
        Row(a, {}, Latency(n + 1.0, n + 2.0, (n + 0.9, n + 1.1), 5, p99_ms=n + 3.0))
        for n, a in enumerate(architectures)
    ]
    device: dict[str, Any] = {"device": "board", "runtime": "onnxruntime"}
    target = Target("board", "onnxruntime", threads=2)
    return Profile(target, device, "resnet", {}, (1, 8, 8), tuple(rows))


def test_measured_latencies_join_the_front_and_the_cards(copied: RunDir) -> None:
    students = published(copied.root)
    told = remeasured(copied.root, measured(students))
    content = json.loads(copied.front.read_text())
    assert told.endswith(f"{len(students)} students of {len(students)} measured on board")
    assert content["targets"]["board"]["device"] == "board"
    for n, point in enumerate(content["points"]):
        assert [*point["latency"]][-1] == "board"
        assert point["latency"]["board"]["p95"] == n + 2.0
        assert point["costs"]["latency_ms@board"] == n + 1.0
        assert "predicted" not in point["latency"]["board"]
        card = json.loads((copied.student(point["id"]) / CARD).read_text())
        assert card["latency"] == point["latency"]
        assert card["spec"]
    assert "@board" in front_table(content) or "board" in front_table(content)


def test_a_measurement_takes_the_place_of_a_prediction(copied: RunDir) -> None:
    content = json.loads(copied.front.read_text())
    for point in content["points"]:
        point["latency"]["board"] = {**PREDICTED, "device": "board"}
    content["targets"]["board"] = {"device": "board"}
    copied.front.write_text(json.dumps(content))
    assert "predicted on board, not measured there" in front_table(content)
    remeasured(copied.root, measured(published(copied.root)))
    found = json.loads(copied.front.read_text())
    assert found["points"][0]["latency"]["board"]["p50"] == 1.0
    assert "predicted on board" not in front_table(found)


def test_a_result_of_other_networks_is_refused(copied: RunDir) -> None:
    other = [Architecture.of({"width": 1})]
    before = copied.front.read_bytes()
    with pytest.raises(PredictorError, match="none of its students was measured on board"):
        remeasured(copied.root, measured(other))
    assert copied.front.read_bytes() == before


def test_the_first_target_keeps_its_plain_names(copied: RunDir) -> None:
    """And the fastest student stays the first one."""
    content = json.loads(copied.front.read_text())
    first = next(iter(content["points"][0]["latency"]))
    for point in content["points"]:
        point["latency"][first]["predicted"] = True
    content["objectives"] = ["accuracy", "latency_ms"]
    copied.front.write_text(json.dumps(content))
    profile = measured(published(copied.root)[::-1])
    remeasured(copied.root, replace(profile, target=replace(profile.target, name=first)))
    found = json.loads(copied.front.read_text())
    costs = [point["costs"]["latency_ms"] for point in found["points"]]
    assert costs == [n + 1.0 for n in range(len(costs))]
    assert len(costs) > 1 and found["points"][0]["id"] == content["points"][-1]["id"]
    assert content["hypervolume"] and found["hypervolume"] is None


def test_what_was_measured_is_in_the_book_of_the_device_s_profile(copied: RunDir) -> None:
    """Not in one of another device's."""
    profile = measured(published(copied.root))
    student, *_ = profile.measured
    for device in ("board", "another"):
        book = copied.root / LATENCIES / "board"
        write_json(book / "key.json", {**profile.identity, "device": {"device": device}})
        (book / f"{student}.json").unlink(missing_ok=True)
        remeasured(copied.root, profile)
        assert (book / f"{student}.json").exists() == (device == "board")


def test_a_target_that_was_measured_elsewhere_keeps_its_name(copied: RunDir) -> None:
    content = json.loads(copied.front.read_text())
    first = next(iter(content["points"][0]["latency"]))
    profile = measured(published(copied.root))
    with pytest.raises(PredictorError, match=f"--name {first}: its students were measured on"):
        remeasured(copied.root, replace(profile, target=replace(profile.target, name=first)))
    assert json.loads(copied.front.read_text()) == content


def test_nothing_is_written_while_a_run_is_at_work(copied: RunDir) -> None:
    profile = measured(published(copied.root))
    before = copied.front.read_bytes()
    with copied.writing(), pytest.raises(RunError, match="another process is at work here"):
        remeasured(copied.root, profile)
    assert copied.front.read_bytes() == before

import json
from dataclasses import replace
from types import SimpleNamespace

import onnxruntime
import pytest
import torch

from kdsearch.errors import UserError
from kdsearch.measure import fingerprint as module
from kdsearch.measure.fingerprint import (
    driver,
    fingerprint,
    governor,
    gpu,
    latency_facts,
    processor,
)
from kdsearch.measure.latency import Latency, Target


def test_names_what_a_latency_depends_on():
    found = fingerprint(Target("laptop", "onnxruntime", threads=2, batch_size=8))
    assert found["runtime_version"] == onnxruntime.__version__
    assert found["torch_version"] == str(torch.__version__)
    assert (found["threads"], found["batch_size"], found["precision"]) == (2, 8, "float32")
    assert found["device"]
    assert json.loads(json.dumps(found)) == found


def test_processor_is_the_models_name_or_at_least_its_kind(tmp_path):
    info = tmp_path / "cpuinfo"
    info.write_text("processor\t: 0\nmodel name\t: Fast: 9000\n")
    assert processor(info) == "Fast: 9000"
    info.write_text("processor\t: 0\n")
    assert processor(info) == processor(tmp_path / "absent") != ""


def test_tells_how_a_network_is_called():
    plain = Target("a", "eager")
    marks = [
        fingerprint(replace(plain, **changed))
        for changed in (
            {},
            {"precision": "bf16"},
            {"layout": "channels_last"},
            {"size": 64},
            {"threads": 2},
        )
    ]
    assert len({json.dumps(mark, sort_keys=True) for mark in marks}) == 5
    assert (marks[1]["precision"], marks[2]["layout"], marks[3]["size"]) == (
        "bf16",
        "channels_last",
        64,
    )
    assert "size" not in marks[0]
    assert fingerprint(replace(plain, name="b")) == marks[0]


def test_governor_and_driver_are_told_where_the_system_does(tmp_path):
    told = tmp_path / "told"
    assert (governor(told), driver(told)) == ("", "unknown")
    told.write_text("powersave\n")
    assert governor(told) == "powersave"
    told.write_text(
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15 2023\n"
        "GCC version:  gcc version 11.4.0\n"
    )
    assert driver(told) == "535.104.05"
    told.write_text("NVRM version: NVIDIA UNIX Open Kernel Module  575.57  Release Build\n")
    assert driver(told) == "575.57"


def test_gpu_has_a_name_also_without_pytorchs_help(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu(tmp_path / "absent") == "a GPU of NVIDIA's"
    (tmp_path / "0000:01:00.0").mkdir()
    note = "Model: \t\t NVIDIA Fast 9000\nIRQ: 5\n"
    (tmp_path / "0000:01:00.0/information").write_text(note)
    assert gpu(tmp_path) == "NVIDIA Fast 9000"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Faster")
    assert gpu(tmp_path) == "Faster"


def test_the_device_of_a_runtime_on_a_gpu_is_the_gpu(monkeypatch):
    stands = SimpleNamespace(on_gpu=True, version=lambda: "1")
    monkeypatch.setattr(module, "ready", lambda name, calling: stands)
    monkeypatch.setattr(module, "gpu", lambda: "Fast 9000")
    found = fingerprint(Target("a", "cuda-events"))
    assert (found["device"], found["processor"]) == ("Fast 9000", processor())
    assert found["driver"]


def test_what_cannot_run_here_is_refused_before_it_is_measured():
    with pytest.raises(UserError, match="onnxruntime: precision: bf16"):
        fingerprint(Target("laptop", "onnxruntime", precision="bf16"))


FACTS = {"p50", "p95", "p99", "ci95", "p95_ci95", "p99_ci95", "load", "busy", "drift"} | {
    "device",
    "runtime",
    "batch_size",
    "threads",
    "precision",
    "layout",
    "size",
}


def test_facts_of_a_latency_are_those_of_the_target_and_of_what_was_timed():
    target = Target("edge", "eager", threads=2, precision="bf16", size=64)
    timed = Latency(
        1.0, 2.0, (0.9, 1.1), 3, p99_ms=4.0, p95_ci95=(1.5, 3.0), p99_ci95=(2, 9), drift=0.3
    )
    (name, facts), *others = latency_facts(target, timed, {"device": "Fast"}).items()
    assert (name, others, set(facts)) == ("edge", [], FACTS)
    assert [facts[key] for key in ("p50", "p95", "p99", "drift")] == [1.0, 2.0, 4.0, 0.3]
    assert [facts[key] for key in ("ci95", "p95_ci95", "p99_ci95")] == [
        [0.9, 1.1],
        [1.5, 3.0],
        [2, 9],
    ]
    assert [facts[key] for key in ("precision", "layout", "size")] == ["bf16", "contiguous", 64]
    older = latency_facts(target, Latency(1.0, 2.0, (0.9, 1.1), 3), {"device": "Fast"})["edge"]
    assert older["p99"] is older["p95_ci95"] is older["p99_ci95"] is older["drift"] is None
    assert json.loads(json.dumps(facts)) == facts


def test_unknown_runtime_is_the_users_error():
    with pytest.raises(UserError, match="egaer"):
        fingerprint(Target("laptop", "egaer"))

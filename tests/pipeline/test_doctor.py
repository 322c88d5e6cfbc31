"""Verb `doctor`: facts of this machine, and the way to what it lacks."""

import json
from typing import Any

import pytest

from kdsearch import cli
from kdsearch.pipeline import doctor as module
from kdsearch.pipeline.doctor import FEATURES, doctor, words


def test_names_versions_devices_and_threads(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {"kdsearch", "torch", "onnxruntime", "optuna"} <= set(found["versions"])
    assert 1 <= found["usable_cores"] <= found["cores"]
    assert found["processor"] and found["threads"]["torch"] >= 1
    assert cli.main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert found["processor"] in said and found["versions"]["torch"] in said


def test_what_is_missing_comes_with_the_command_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    monkeypatch.setattr(module, "which", lambda name: None)
    found = doctor()
    assert len(found["missing"]) == len(FEATURES) + 1
    text = words(found)
    for feature in FEATURES:
        assert f"pip install 'kdsearch[{feature.extra}]'" in text and feature.about in text
    assert "a C++ compiler" in text


def test_where_nothing_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: object())
    monkeypatch.setattr(module, "which", lambda name: "/usr/bin/c++")
    assert words(doctor()).endswith("nothing is missing")


def test_extras_are_those_of_the_package() -> None:
    import tomllib
    from pathlib import Path

    root = Path(__file__).parents[2]
    settings: dict[str, Any] = tomllib.loads((root / "pyproject.toml").read_text())
    assert {one.extra for one in FEATURES} <= set(settings["project"]["optional-dependencies"])


def test_gpus_are_told_where_torch_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    class Known:
        name, total_memory = "A100", 80 * 2**30

    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    monkeypatch.setattr("torch.cuda.get_device_properties", lambda index: Known)
    assert [one["name"] for one in doctor()["gpus"]] == ["A100"]

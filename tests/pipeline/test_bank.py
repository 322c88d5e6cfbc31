"""A search over a bank of variations: the teacher is asked once, by nobody afterwards."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kdsearch.files import read_json
from kdsearch.pipeline import bank
from kdsearch.rundir import RunDir


def test_trials_of_a_run_never_load_the_teacher(
    tiny: Callable[..., dict[str, Any]],
    go: Callable[..., RunDir],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(*_: Any) -> None:
        raise AssertionError("a trial loads the teacher")

    monkeypatch.setattr("kdsearch.search.rung.load_teacher", refused)
    filled: list[Path] = []
    fill = bank.fill
    monkeypatch.setattr(
        bank, "fill", lambda folder, *more: (filled.append(folder), fill(folder, *more))
    )
    config = tiny(
        distill={"methods": ["soften", "hard"], "bank": 2},
        search={"trials": 4},
        finalists={"count": 2},
    )
    run = go(config, tmp_path / "a")
    trained = [
        read_json(path)
        for path in run.trials(run.facts()["study"]).glob("*/rung*.json")
        if path.name != "rung0.json"
    ]
    assert trained and all(result["state"] == "done" for result in trained)
    go(config, tmp_path / "b", until="search")
    assert len(filled) == 1  # the second run reads the same bank

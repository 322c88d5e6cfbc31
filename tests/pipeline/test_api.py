"""The Python API: the verbs as functions, on the same files."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import kdsearch
from kdsearch.errors import BudgetError, ConfigError, RunError, TeacherError, UserError
from kdsearch.files import read_json
from kdsearch.rundir import RunDir


@pytest.fixture
def loaded(finished: RunDir) -> kdsearch.Run:
    return kdsearch.load(finished.root)


def test_a_loaded_run_is_what_its_files_say(loaded: kdsearch.Run, finished: RunDir) -> None:
    assert loaded.front == read_json(finished.front)["points"]
    assert [row["number"] for row in loaded.trials] == list(range(8))
    assert {row["state"] for row in loaded.trials} <= {"complete", "stopped"}
    assert loaded.status["stages"]["report"] == "done"


def test_a_query_gives_an_id(loaded: kdsearch.Run, finished: RunDir) -> None:
    best = max(loaded.front, key=lambda p: p["search_accuracy"])
    assert loaded.query(params="100%") == best["id"]
    fastest = loaded.front[0]
    high = next(iter(fastest["latency"].values()))["ci95"][1]
    assert loaded.query(params=fastest["params"], latency_ms=high) in {
        p["id"] for p in loaded.front if p["params"] <= fastest["params"]
    }
    with pytest.raises(BudgetError, match="no student keeps macs <= 1"):
        loaded.query(macs=1)
    with pytest.raises(BudgetError, match="no student keeps accuracy >= 1"):
        loaded.query(min_accuracy=1.0)
    with pytest.raises(UserError, match="unknown bound 'latency'; did you mean 'latency_ms'"):
        loaded.query(latency=1)


def test_a_network_is_ready_to_use(loaded: kdsearch.Run) -> None:
    net = loaded.network(loaded.front[0]["id"])
    assert not net.training
    assert net(torch.zeros(3, 1, 8, 8)).logits.shape == (3, 10)
    with pytest.raises(UserError, match="no student 's9'"):
        loaded.network("s9")


def test_where_there_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"no run here; `kdsearch run CONFIG"):
        kdsearch.load(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_config_may_be_a_dict_or_a_file(tiny: Any, finished: RunDir, tmp_path: Path) -> None:
    path = tmp_path / "tiny.yaml"
    path.write_text(json.dumps(tiny()))
    for config in (tiny(), path, str(path)):
        assert kdsearch.run(config, finished.root).front == kdsearch.load(finished.root).front
    with pytest.raises(ConfigError, match="unknown key"):
        kdsearch.run({"serch": {}}, tmp_path / "run")


def test_only_the_public_names_are_public() -> None:
    assert kdsearch.__all__ == [
        "Distilled",
        "Run",
        "__version__",
        "distill_student",
        "from_pretrained",
        "load",
        "run",
        "verify",
    ]
    with pytest.raises(AttributeError, match="no attribute 'search_everything'"):
        _ = kdsearch.search_everything


class Own(nn.Module):
    """A teacher of somebody's own: as many classes as it is told."""

    def __init__(self, classes: int = 10, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.features = nn.Conv2d(1, 8, 3, padding=1)
        self.head = nn.Linear(8 * 64, classes)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.features(images).relu().flatten(1))
        return logits


@pytest.mark.slow
def test_a_teacher_may_be_a_module(tiny: Any, finished: RunDir, tmp_path: Path) -> None:
    config = tiny(search={"trials": 2}, distill={"methods": ["soften"]}, finalists={"count": 1})
    own = Own()
    before = {name: tensor.clone() for name, tensor in own.state_dict().items()}
    done = kdsearch.run(config, tmp_path / "run", teacher=own)
    assert done.front
    assert all(p["recipe"]["method"] == "soften" for p in done.front)
    assert (done.dir.root / "teacher").resolve() != (finished.root / "teacher").resolve()
    assert all(torch.equal(tensor, before[n]) for n, tensor in own.state_dict().items())
    teacher = (done.dir.root / "teacher").resolve()
    again = kdsearch.run(config, tmp_path / "again", teacher=Own())
    assert (again.dir.root / "teacher").resolve() == teacher, "equal weights are one teacher"
    other = kdsearch.run(config, tmp_path / "other", teacher=Own(seed=1))
    assert (other.dir.root / "teacher").resolve() != teacher


def test_a_teacher_of_other_classes_is_refused_or_fitted(tiny: Any, tmp_path: Path) -> None:
    with pytest.raises(
        TeacherError, match=r"7 classes apart, the data have 10; set teacher\.fin"
    ):
        kdsearch.run(tiny(), tmp_path / "run", teacher=Own(classes=7))
    fitted = tiny(teacher={"finetune": {"epochs": 1}}, search={"trials": 2})
    done = kdsearch.run(fitted, tmp_path / "run", teacher=Own(classes=7))
    assert done.front
    assert "network: object" in done.dir.config.read_text()


def test_a_teacher_object_needs_the_engine_of_this_process(tiny: Any, tmp_path: Path) -> None:
    config = tiny(search={"engine": "ray-tune"})
    with pytest.raises(TeacherError, match=r"cannot travel .* teacher\.network: module:"):
        kdsearch.run(config, tmp_path / "run", teacher=Own())

"""One student, one recipe: taught, tested once, handed over; and nothing done twice."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from kdsearch.config import parse_config
from kdsearch.core.progress import Progress, Silent
from kdsearch.core.records import Architecture
from kdsearch.data.augment import normalise
from kdsearch.data.load import load_search
from kdsearch.data.test_split import open_test
from kdsearch.errors import ConfigError, SearchError, UserError
from kdsearch.export.rebuild import rebuilt
from kdsearch.files import read_json
from kdsearch.measure.accuracy import predict, top1
from kdsearch.nets import FAMILIES
from kdsearch.pipeline import distill as distill_module
from kdsearch.pipeline.distill import distill, words
from kdsearch.rundir import RunDir
from kdsearch.search import rung
from kdsearch.training import fit as fit_module

Card = dict[str, Any]
Taught = Callable[..., Card]
ARCHITECTURE = {
    "stage1.width": 4, "stage2.width": 4, "stage3.width": 16,
    "stage1.depth": 1, "stage2.depth": 2, "stage3.depth": 1,
}  # fmt: skip
ONE = {"methods": ["soften"], "epochs": 1}
FILES = {"model.safetensors", "config.json", "model.onnx", "card.json"}
FILES |= {"README.md", "check.safetensors"}


@pytest.fixture(scope="session")
def taught(tiny: Any) -> Taught:
    """`taught(folder, student={...}, distill={...})`: the card."""

    def run(out: Path, progress: Progress | None = None, **changed: Any) -> Card:
        changed = {"distill": ONE, "student": {"architecture": ARCHITECTURE}} | changed
        return distill(parse_config(tiny(**changed)), out, progress or Silent())

    return run


@pytest.fixture(scope="module")
def whole(taught: Taught, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Card]:
    """A student of the space, handed over; tests read it."""
    out = tmp_path_factory.mktemp("distilled") / "whole"
    return out, taught(out)


@pytest.fixture
def copied(whole: tuple[Path, Card], tmp_path: Path) -> Path:
    """The same in a folder of the test's own, elsewhere."""
    shutil.copytree(whole[0], tmp_path / "moved", symlinks=True)
    return tmp_path / "moved"


@pytest.fixture
def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    def training(*arguments: Any, **more: Any) -> Any:
        raise AssertionError("trained, though it was done or is a mistake")

    monkeypatch.setattr(rung, "fit", training)


class Telling(Silent):
    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, line: str) -> None:
        self.said.append(line)


@pytest.fixture
def without_onnx(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hands over in the format that takes no time."""
    monkeypatch.setattr(distill_module, "FORMATS", ("safetensors",))


def openings(out: Path) -> list[dict[str, Any]]:
    path = RunDir(out).test_openings
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


# A student of the space.


def test_the_student_has_the_architecture_asked_for(whole: tuple[Path, Card]) -> None:
    out, card = whole
    assert card["family"] == "resnet"
    assert card["architecture"] == ARCHITECTURE
    student = FAMILIES["resnet"].student(Architecture.of(ARCHITECTURE), 1, 10)
    student.load_state_dict(load_file(out / "student" / "model.safetensors"))
    assert card["params"] == sum(p.numel() for p in student.parameters())
    assert card["recipe"] == {"method": "soften", "knobs": {}}


def test_its_files_are_handed_over_and_checked(whole: tuple[Path, Card]) -> None:
    out, card = whole
    assert {path.name for path in (out / "student").iterdir()} == FILES
    assert read_json(out / "student" / "card.json") == card
    assert card["parity"].keys() == {"safetensors", "onnx"}
    assert all(parity["top1_agreement"] == 1 for parity in card["parity"].values())
    (timed,) = card["latency"].values()
    assert 0 < timed["p50"] <= timed["p95"]


def test_accuracies_are_the_files(whole: tuple[Path, Card], tmp_path: Path) -> None:
    """By a road of their own."""
    out, card = whole
    data = load_search(out / "data")
    test = open_test(out / "data", purpose="a test", log=tmp_path / "log")
    net = rebuilt(read_json(out / "student" / "config.json"))
    net.load_state_dict(load_file(out / "student" / "model.safetensors"))
    for part, split in (("search", data.search_val), ("test", test)):
        images = normalise(split.images, data.info.mean, data.info.std)
        scored = top1(predict(net.eval(), images, 500), split.labels)
        assert card[f"{part}_accuracy"] == scored
        low, high = card[f"{part}_accuracy_ci95"]
        assert low < scored < high


def test_the_test_split_is_opened_once_and_logged(whole: tuple[Path, Card]) -> None:
    (opening,) = openings(whole[0])
    assert opening["purpose"] == "score of one student"


def test_what_it_says(whole: tuple[Path, Card]) -> None:
    out, card = whole
    told = words(card, out / "student")
    first, second, *checked, last = [w for w in told if "on a busy machine" not in w]
    assert first.startswith(f"taught by soften: test accuracy {card['test_accuracy']:.1%} (")
    assert f"{card['params']:,} params" in second
    assert [line.partition(":")[0] for line in checked] == ["safetensors", "onnx"]
    assert last == f"files: {out / 'student'}"


# Nothing is done twice.


def test_a_second_call_does_nothing(
    copied: Path, whole: tuple[Path, Card], taught: Taught, no_training: None
) -> None:
    """Wherever the folder was moved to."""
    telling = Telling()
    assert taught(copied, telling) == whole[1]
    assert telling.said[-1] == "everything was done before; nothing was done again"
    assert len(openings(copied)) == 1


def test_lost_files_are_written_again_without_training(
    copied: Path,
    whole: tuple[Path, Card],
    taught: Taught,
    no_training: None,
    without_onnx: None,
) -> None:
    shutil.rmtree(copied / "student")
    again = taught(copied)
    for part in ("recipe", "lesson", "search_accuracy", "test_accuracy", "params"):
        assert again[part] == whole[1][part]
    assert len(openings(copied)) == 2, "looking again is told, too"


def test_another_recipe_takes_the_folder_over(
    copied: Path, whole: tuple[Path, Card], taught: Taught, without_onnx: None
) -> None:
    """And its files."""
    knobs = {**ONE, "knobs": {"soften.temperature": [2.0]}}
    other = taught(copied, distill=knobs)
    assert other["recipe"]["knobs"] == {"temperature": 2.0}
    assert other["lesson"] != whole[1]["lesson"]
    assert read_json(copied / "student" / "card.json") == other
    assert {path.name for path in (copied / "student").iterdir()} == FILES - {"model.onnx"}


class Killed(BaseException):
    """The process ends here."""


def test_a_killed_training_goes_on(
    whole: tuple[Path, Card],
    taught: Taught,
    without_onnx: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fit_module, "CHECKPOINT_SECONDS", -1.0)
    real = fit_module.train_step
    steps: list[int] = []

    def dying(task: Any, batch: Any, *more: Any) -> Any:
        if batch.step == 3 and len(steps) == 3:
            steps.append(-1)
            raise Killed
        steps.append(batch.step)
        return real(task, batch, *more)

    monkeypatch.setattr(fit_module, "train_step", dying)
    with pytest.raises(Killed):
        taught(tmp_path / "run")
    assert not (tmp_path / "run" / "student").exists()
    again = taught(tmp_path / "run")
    assert steps == [0, 1, 2, -1, *range(3, 8)]
    for part in ("lesson", "search_accuracy", "test_accuracy"):
        assert again[part] == whole[1][part]


# Networks that the user brings.

OWN = """
from torch import nn


def student():
    return nn.Sequential(
        nn.Conv2d(1, 6, 3, 2, 1), nn.BatchNorm2d(6), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4),
    )


def headless():
    return nn.Sequential(
        nn.Conv2d(1, 10, 3, 2, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
    )
"""
METHOD = '''
from kdsearch.distill.hard import Hard
from kdsearch.distill.method import Needs


class Ships(Hard):
    """Ships more than the student."""

    name = "ships"
    needs = Needs(deploy=lambda student, parts, teacher: student)
'''


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "my_student.py").write_text(OWN)
    (tmp_path / "my_method.py").write_text(METHOD)
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("my_student", "my_method"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return "module:my_student:student"


def test_a_students_own_module(taught: Taught, own: str, tmp_path: Path) -> None:
    """With a head for other classes, in a size and scale of its own."""
    wants = {"network": own, "input": {"size": 16, "mean": [0.4], "std": [0.3]}}
    card = taught(tmp_path / "run", student=wants, distill={"methods": ["hint"], "epochs": 1})
    assert (card["family"], card["architecture"]) == (None, {})
    assert card["output"]["shape"] == ["batch", 10]
    assert all(parity["top1_agreement"] == 1 for parity in card["parity"].values())
    spec = read_json(tmp_path / "run" / "student" / "config.json")
    assert spec["origin"]["network"] == own
    again = rebuilt(spec)
    again.load_state_dict(load_file(tmp_path / "run" / "student" / "model.safetensors"))
    assert again.eval()(torch.zeros(1, 1, 8, 8)).logits.shape == (1, 10)


@pytest.mark.slow
def test_a_network_of_torchvision(taught: Taught, tmp_path: Path) -> None:
    wants = {"network": "torchvision:squeezenet1_1", "input": {"size": 32}}
    card = taught(tmp_path / "run", student=wants)
    assert card["params"] > 300_000
    assert len(openings(tmp_path / "run")) == 1
    assert {path.name for path in (tmp_path / "run" / "student").iterdir()} == FILES


def test_weights_it_came_with_are_where_it_starts(
    taught: Taught, own: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others make another lesson, though the file has the same name."""
    lessons, curves = [], []

    def kept(context: Any, setting: Any, job: Any, data: Any) -> Card:
        curves.append(read_json(Path(job.folder) / "rung1.json")["details"]["curve"])
        return {"lesson": job.folder}

    monkeypatch.setattr(distill_module, "handed_over", kept)
    for seed in (1, 2):
        torch.manual_seed(seed)
        network = sys.modules.get("my_student") or __import__("my_student")
        torch.save(network.student().state_dict(), tmp_path / "weights.pt")
        wants = {"network": own, "weights": str(tmp_path / "weights.pt")}
        lessons.append(taught(tmp_path / "run", student=wants)["lesson"])
    assert lessons[0] != lessons[1] and curves[0] != curves[1]


# Mistakes: one line, before anything is trained.


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"distill": {"methods": ["soften", "hard"]}}, "distill.methods names 2: --set"),
        (
            {"distill": {"methods": ["soften"], "knobs": {"soften.weight": [0.5, 0.9]}}},
            "distill.knobs.soften.weight leaves a choice",
        ),
        (
            {"student": {"network": "{own}", "input": {"size": 4}}},
            "student.input.size: 4 is below the data's 8 px; set data.size: 4 instead",
        ),
        (
            {"distill": {"methods": ["module:my_method:Ships"]}},
            "changes the network that ships",
        ),
        (
            {"student": {"network": "{headless}"}, "distill": {"methods": ["relational"]}},
            "method 'relational': the method needs pooled of the student, which gives none",
        ),
        (
            {
                "student": {"network": "{own}"},
                "distill": {
                    "methods": ["information_flow"],
                    "knobs": {"information_flow.aux": ["max_subnet"]},
                },
            },
            "aux: max_subnet is for students of a space; a network brought along learns with",
        ),
        (
            {"student": {"network": "torchvision:resnet81"}},
            "no network 'resnet81'; did you mean",
        ),
        ({"student": {"network": "module:my_student:studnet"}}, "did you mean 'student'"),
    ],
)
def test_a_mistake_is_told_at_once(
    changed: dict[str, Any],
    line: str,
    taught: Taught,
    own: str,
    no_training: None,
    tmp_path: Path,
) -> None:
    text = json.dumps(changed).replace("{own}", own)
    text = text.replace("{headless}", own.replace(":student", ":headless"))
    with pytest.raises(UserError) as caught:
        taught(tmp_path / "run", **json.loads(text))
    assert line in str(caught.value) and "\n" not in str(caught.value)
    assert openings(tmp_path / "run") == []


@pytest.mark.parametrize(
    ("student", "line"),
    [
        (
            {"architecture": {"stage1.width": 4}},
            "student.architecture = {stage1.width: 4}: missing: stage2.width",
        ),
        ({"architecture": {**ARCHITECTURE, "stage1.width": 5}}, "stage1.width = 5; allowed"),
        (
            {"architecture": "largest", "network": "module:a:b"},
            "is for student.network: family",
        ),
        ({"weights": "x.pt"}, "is for a network brought along"),
        ({"network": "torchvison:resnet18"}, "did you mean"),
    ],
)
def test_a_student_that_is_none(
    student: dict[str, Any], line: str, taught: Taught, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        taught(tmp_path / "run", student=student)
    assert line in str(caught.value)


def test_a_training_that_diverges(taught: Taught, tmp_path: Path) -> None:
    wild = {"methods": ["hard"], "epochs": 2, "learning_rate": 1e6}
    with pytest.raises(
        SearchError, match="could not be taught: diverged: .*learning_rate helps"
    ):
        taught(tmp_path / "run", distill=wild)
    assert openings(tmp_path / "run") == []
    assert not (tmp_path / "run" / "student").exists()


def test_formats_are_those_that_export_offers() -> None:
    from kdsearch.export import FORMATS

    assert set(distill_module.FORMATS) <= set(FORMATS)

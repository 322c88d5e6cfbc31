"""A space whose students the user's own `build` makes: every verb, without a supernet."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from kdsearch import cli
from kdsearch.config import parse_config
from kdsearch.core.progress import Silent
from kdsearch.core.records import Architecture
from kdsearch.core.space import Choice, Space
from kdsearch.data.records import DataInfo
from kdsearch.errors import UserError
from kdsearch.files import read_json
from kdsearch.nets.own_student import OwnStudent
from kdsearch.pipeline import students
from kdsearch.pipeline.check import check
from kdsearch.pipeline.distill import distill
from kdsearch.pipeline.lessons import lesson_key
from kdsearch.pipeline.query import query, read_bounds
from kdsearch.pipeline.status import status
from kdsearch.pipeline.trials import trials
from kdsearch.rundir import RunDir
from kdsearch.search.setting import Setting
from kdsearch.training.plan import Plan

PAGE = Path(__file__).parents[2] / "docs" / "your-own-family.md"
NAME = "my_students"
Config = Callable[..., dict[str, Any]]


def shown(kind: str) -> str:
    """The page's example."""
    return PAGE.read_text().partition(f"```{kind}\n")[2].partition("```")[0]


def place(folder: Path, text: str | None = None) -> None:
    """The user's files in a folder; a module that was imported before is forgotten."""
    (folder / f"{NAME}.py").write_text(shown("python") if text is None else text)
    (folder / "my_space.yaml").write_text(shown("yaml"))
    sys.modules.pop(NAME, None)
    shutil.rmtree(folder / "__pycache__", ignore_errors=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the page's files lie and commands are run."""
    found = tmp_path_factory.mktemp("own")
    patch = pytest.MonkeyPatch()
    patch.chdir(found)
    patch.syspath_prepend(found)
    place(found)
    yield found
    patch.undo()
    sys.modules.pop(NAME, None)


@pytest.fixture(autouse=True)
def as_on_the_page(folder: Path) -> None:
    place(folder)


@pytest.fixture(scope="module")
def config(tiny: Config, folder: Path) -> Config:
    def made(**changed: Any) -> dict[str, Any]:
        content = tiny(space=str(folder / "my_space.yaml"), store=str(folder / "store"))
        small: dict[str, Any] = {
            "teacher": {"epochs": 1},
            "distill": {"epochs": 2},
            "search": {"trials": 12, "batch_size": 4, "objectives": ["accuracy", "macs"]},
            "budget": {"params": "60%"},
            "finalists": {"count": 2},
        }
        return content | small | changed

    return made


@pytest.fixture(scope="module")
def own(config: Config, go: Any, folder: Path) -> RunDir:
    return go(config(), folder / "run")  # type: ignore[no-any-return]


@pytest.fixture
def say(capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    def said(*argv: str | Path) -> tuple[int, str]:
        capfd.readouterr()
        code = cli.main([str(word) for word in argv])
        return code, capfd.readouterr().err

    return said


# From the page's files to a front.


def test_the_page_is_short_and_its_example_is_whole() -> None:
    assert len(PAGE.read_text().splitlines()) <= 60
    assert "def build(" in shown("python") and f"module:{NAME}:build" in shown("yaml")


def test_a_run_comes_to_a_front_without_a_supernet(own: RunDir, folder: Path) -> None:
    front, found = read_json(own.front), trials(own)
    assert front["points"] and front["space"]["count"] == 4
    assert not (own.root / "supernet").exists()
    assert not (folder / "store" / "supernet").exists()
    assert not (folder / "store" / "inherited").exists()
    assert status(own)["stages"]["supernet"] == "none"
    over = [t for t in found if t.violations]
    assert over and all(t.state == "stopped" and not t.scores for t in over)
    assert {t.state for t in found if not t.violations} == {"complete"}
    assert all(set(t.scores) == {1} for t in found if not t.violations)


def test_a_second_run_does_nothing(own: RunDir, config: Config, go: Any) -> None:
    before = own.front.stat().st_mtime_ns
    go(config(), own.root)
    assert own.front.stat().st_mtime_ns == before


def test_the_report_speaks_of_no_inherited_weights(own: RunDir) -> None:
    page = own.report.read_text()
    assert "of full distillation" in page
    assert "inherited weights, then" not in page
    assert "screened with inherited weights" not in page


def test_query_and_network(own: RunDir) -> None:
    answer = query(own, read_bounds(["params=60%"], []))
    net = students.network(own, answer.student["id"])
    assert isinstance(net, OwnStudent) and not net.training
    out = net(torch.zeros(2, 1, 8, 8))
    assert out.logits.shape == (2, 10) and len(out.feats) >= 1 and out.pooled is not None


def test_an_export_holds_the_users_plain_module(own: RunDir, tmp_path: Path) -> None:
    point = read_json(own.front)["points"][0]
    card = students.export(own, point["id"], tmp_path / "out", ["safetensors", "onnx"])
    assert set(card["parity"]) == {"safetensors", "onnx"}
    assert card["family"] == f"module:{NAME}:build"
    build = __import__(NAME).build
    network = build(point["architecture"], channels=1, classes=10)
    network.load_state_dict(load_file(tmp_path / "out" / "model.safetensors"))


def test_students_are_not_loaded_into_changed_code(
    own: RunDir, folder: Path, tmp_path: Path
) -> None:
    place(folder, shown("python").replace("nn.ReLU()", "nn.GELU()"))
    with pytest.raises(UserError, match="has changed since this student was trained"):
        students.network(own, read_json(own.front)["points"][0]["id"])


def test_changed_code_makes_another_teacher_search_and_latency(
    own: RunDir, config: Config, go: Any, folder: Path
) -> None:
    place(folder, shown("python") + "\n# changed\n")
    search = {"trials": 2, "batch_size": 2, "objectives": ["accuracy", "macs"]}
    other = go(config(search=search), folder / "other", until="search")
    for name in ("teacher", "latency"):
        assert (other.root / name).resolve() != (own.root / name).resolve()
    ours, theirs = own.facts()["study_key"], other.facts()["study_key"]
    assert ours["space"]["axes"] == theirs["space"]["axes"] and ours["space"] != theirs["space"]
    assert (other.root / "data").resolve() == (own.root / "data").resolve()


def test_changed_code_makes_another_lesson(folder: Path) -> None:
    plan = Plan(steps=1, batch_size=2, learning_rate=0.1, weight_decay=0.0, seed=0)
    space = Space({"depth": Choice((1, 2))})
    setting = Setting("data", None, None, f"module:{NAME}:build", space, plan, (1.0,))
    info = DataInfo("digits", ("a", "b"), 1, 8, (0.5,), (0.5,), {}, (), "fingerprint")
    student = Architecture.of(space.smallest())
    before = lesson_key(setting, student, info)
    assert lesson_key(setting, student, info) == before
    place(folder, shown("python") + "\n# changed\n")
    assert lesson_key(setting, student, info) != before


def test_check_expects_no_supernet(config: Config, tmp_path: Path) -> None:
    _, expected = check(parse_config(config()), tmp_path / "none", Silent())
    assert expected.seconds["supernet"] == 0.0 < expected.seconds["search"]


def test_distill_hands_a_student_over(config: Config, tmp_path: Path) -> None:
    content = config(distill={"epochs": 1, "methods": ["soften"]})
    card = distill(parse_config(content), tmp_path / "lesson", Silent())
    assert card["family"] == f"module:{NAME}:build"
    assert (tmp_path / "lesson" / "student" / "model.onnx").exists()


def test_a_fresh_largest_student_is_the_auxiliary_teacher(
    folder: Path, config: Config, tmp_path: Path
) -> None:
    """Without a supernet there is nothing that it could inherit."""
    knobs = {"information_flow.aux": ["max_subnet"]}
    content = config(distill={"epochs": 1, "methods": ["information_flow"], "knobs": knobs})
    card = distill(parse_config(content), tmp_path / "lesson", Silent())
    assert card["recipe"]["knobs"]["aux"] == "max_subnet"
    (made,) = (folder / "store" / "auxiliary").glob("*/auxiliary.safetensors")
    largest = __import__(NAME).build({"depth": 2, "width": 8}, channels=1, classes=10)
    assert {f"module.{name}" for name in largest.state_dict()} == set(load_file(made))


# What is refused: one line, exit code 2.

WRONG = {
    "raises": (
        "def build(choices):\n    raise ValueError('no such depth')\n",
        "student {depth: 1, width: 4}: build raised ValueError: no such depth",
    ),
    "no module": ("def build(choices):\n    return 7\n", "build returned int"),
    "classes": (
        "from torch import nn\n\ndef build(choices):\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(64, 7))\n",
        "gives (2, 7) for 2 images of 10 classes",
    ),
    "size": (
        "from torch import nn\n\ndef build(choices):\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(99, 10))\n",
        "cannot be used on images (1, 8, 8): RuntimeError",
    ),
    "one for all": (
        "from torch import nn\n\nnet = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))\n\n"
        "def build(choices):\n    return net\n",
        "build returned the same module twice",
    ),
    "its own dice": (
        "import random\nimport torch\nfrom torch import nn\n\ndef build(choices):\n"
        "    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))\n"
        "    torch.nn.init.constant_(net[1].weight, random.random())\n    return net\n",
        "two calls of build under one seed gave different weights",
    ),
    "unknown": ("def builder(choices):\n    return 7\n", "no function 'build'"),
    "broken": ("import no_such_package\n", "cannot import 'my_students'"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_build_is_refused_in_one_line(
    kind: str, say: Any, folder: Path, config: Config, tmp_path: Path
) -> None:
    text, words = WRONG[kind]
    place(folder, text)
    (tmp_path / "run.yaml").write_text(json.dumps(config()))
    for verb in ("check", "run", "distill"):
        extra = ["--set", "distill.methods=[hard]"]
        code, err = say(verb, tmp_path / "run.yaml", "--out", tmp_path / "out", *extra)
        *_, last = err.strip().splitlines()
        assert (code, last.startswith("kdsearch: ")) == (2, True), err
        assert words in last and "Traceback" not in err
    assert not list(folder.glob("store/teacher/*.partial"))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"teacher": {"width": 2.0}}, "teacher.width = 2.0: no wider network"),
        ({"teacher": {"training": "generic"}}, "needs students that share weights"),
        (
            {
                "distill": {
                    "methods": ["information_flow"],
                    "knobs": {"information_flow.aux": ["double_width"]},
                }
            },
            "no network twice as wide is known",
        ),
    ],
)
def test_what_takes_shared_weights_is_refused_by_the_config(
    config: Config, changed: dict[str, Any], words: str
) -> None:
    with pytest.raises(UserError) as caught:
        parse_config(config(**changed))
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_compare_refuses_double_width_too(say: Any, config: Config, tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text(json.dumps(config()))
    method = "information_flow@aux=double_width"
    words = ("--methods", method, "--seeds", "1", "--out", tmp_path / "out")
    code, err = say("compare", tmp_path / "run.yaml", *words)
    assert code == 2 and "no student 2 times as wide is known" in err.splitlines()[-1]

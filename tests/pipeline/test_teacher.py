"""Stage `teacher`: every way to train one, from the config to its folder; and what names it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from kdsearch.config import parse_config
from kdsearch.core.progress import Silent
from kdsearch.files import read_json
from kdsearch.pipeline.context import Context, open_context
from kdsearch.pipeline.shaping import shaping_key, shaping_of
from kdsearch.rundir import RunDir
from kdsearch.teachers import TEACHERS
from kdsearch.teachers.conditioning import Conditioning

Taught = Callable[..., RunDir]
WAYS = [name for name in TEACHERS if name != "none"]
SOME = {"stage1.width": 4, "stage2.width": 4, "stage3.width": 8} | {
    f"stage{s}.depth": 1 for s in (1, 2, 3)
}


@pytest.fixture(scope="module")
def taught(tiny: Any, go: Any, tmp_path_factory: pytest.TempPathFactory) -> Taught:
    """Runs the tiny config up to the teacher: `taught(training="generic")`."""

    def made(**teacher: Any) -> RunDir:
        out: Path = tmp_path_factory.mktemp("taught") / "run"
        run: RunDir = go(tiny(teacher={"epochs": 2, **teacher}), out, until="teacher")
        return run

    return made


def facts(run: RunDir) -> dict[str, Any]:
    known: dict[str, Any] = read_json(run.root / "teacher" / "teacher.json")
    return known


def folder(run: RunDir) -> Path:
    return (run.root / "teacher").resolve()


@pytest.mark.parametrize("training", WAYS)
def test_every_way_gives_a_teacher_of_the_same_make(training: str, taught: Taught) -> None:
    run, plain = taught(training=training), taught()
    assert (folder(run) == folder(plain)) == (training == "plain")
    known = facts(run)
    assert known["training"] == training and known["search_accuracy"] > 0.3
    assert 0 < known["calibration_error"] < 1 and 0 < known["entropy"] < 2.4
    states = [load_file(folder(r) / "teacher.safetensors") for r in (run, plain)]
    assert {k: v.shape for k, v in states[0].items()} == {
        k: v.shape for k, v in states[1].items()
    }
    assert sorted(path.name for path in folder(run).iterdir()) == [
        "key.json",
        "teacher.json",
        "teacher.safetensors",
    ]


def test_a_generic_teacher_whose_branches_weigh_nothing_is_the_plain_one(
    taught: Taught,
) -> None:
    run = taught(training="generic", conditioning={"ce": 0, "kl": 0})
    weights = [(folder(r) / "teacher.safetensors").read_bytes() for r in (run, taught())]
    assert folder(run) != folder(taught()) and weights[0] == weights[1]


def test_learnt_paths_are_told_and_serve_a_supernet(tiny: Any, go: Any, tmp_path: Path) -> None:
    teacher = {"epochs": 2, "training": "generic", "distribution": {"loss": "capability"}}
    config = tiny(teacher=teacher, supernet={"epochs": 1, "policy": "learned"})
    run = go(config, tmp_path / "run", until="supernet")
    paths = {axis: dict(odds) for axis, odds in facts(run)["paths"].items()}
    assert set(paths["stage1.depth"]) == {1, 2}
    assert all(sum(odds.values()) == pytest.approx(1) for odds in paths.values())
    assert read_json(run.root / "supernet" / "supernet.json")["curve"]


def test_another_runs_teacher_is_trained_on(taught: Taught, tmp_path: Path) -> None:
    first = taught()
    kept = taught(network=f"checkpoint:{first.root / 'teacher'}")
    assert facts(kept)["search_accuracy"] == facts(first)["search_accuracy"]
    link = tmp_path / "elsewhere"
    link.symlink_to(folder(first))
    assert folder(taught(network=f"checkpoint:{link}")) == folder(kept), "wherever it lies"
    shaped = taught(network=f"checkpoint:{link}", training="generic", epochs=1)
    assert facts(shaped)["origin"] == facts(first)["origin"]
    assert facts(shaped)["search_accuracy"] > 0.3


def context(tiny: Any, tmp_path: Path, **changed: Any) -> Context:
    return open_context(parse_config(tiny(**changed)), tmp_path, Silent())


def key(tiny: Any, tmp_path: Path, training: str, space: str = "", **teacher: Any) -> Any:
    changed = {"space": space} if space else {}
    own = context(tiny, tmp_path, teacher={"training": training, **teacher}, **changed)
    return shaping_key(training, shaping_of(own))


@pytest.mark.parametrize("training", ["none", "plain"])
def test_what_shapes_others_does_not_name_a_plain_teacher(
    training: str, tiny: Any, tmp_path: Path
) -> None:
    assert shaping_key(training, shaping_of(context(tiny, tmp_path))) == {}


def test_what_a_shaped_teacher_depends_on_names_it(tiny: Any, tmp_path: Path) -> None:
    generic = key(tiny, tmp_path, "generic")
    assert generic != key(tiny, tmp_path, "generic", space="resnet-cifar")
    assert generic != key(tiny, tmp_path, "generic", conditioning={"paths": 3})
    assert generic != key(tiny, tmp_path, "generic", distribution={"loss": "capability"})
    assert generic != key(tiny, tmp_path, "generic", lipschitz=0.1)
    assert "held_out" not in generic
    assert generic != key(tiny, tmp_path, "generic", held_out=[SOME])
    friendly = key(tiny, tmp_path, "student_friendly")
    assert friendly["student"]["stage1.width"] == 2 and "distribution" not in friendly
    assert friendly != key(tiny, tmp_path, "student_friendly", student=SOME)
    oriented = key(tiny, tmp_path, "student_oriented")
    assert oriented == key(tiny, tmp_path, "student_oriented", space="resnet-cifar")
    assert oriented != key(tiny, tmp_path, "student_oriented", consistency=0.5)


def test_the_config_arrives(tiny: Any, tmp_path: Path) -> None:
    asked = {"ce": 1, "kl": 3, "gradient": "both", "attach": "all", "paths": 1}
    teacher = {"training": "student_friendly", "student": SOME, "conditioning": asked}
    shaping = shaping_of(context(tiny, tmp_path, teacher=teacher))
    assert shaping.conditioning == Conditioning(kl=3, gradient="both", attach="all", paths=1)
    assert shaping.pool is not None and shaping.pool.student is not None
    assert shaping.pool.student.as_dict() == SOME

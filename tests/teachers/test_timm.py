"""Networks by timm's name, without any download; and without timm."""

import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from safetensors.torch import save_file

from kdsearch.errors import TeacherError
from kdsearch.teachers import SOURCES
from kdsearch.teachers.make import Origin, load_teacher, make_teacher
from kdsearch.teachers.timm import build
from kdsearch.teachers.training import Course

SMALL = "test_resnet"


@pytest.fixture
def timm() -> ModuleType:
    import timm

    found: ModuleType = timm
    return found


def test_without_timm_the_way_out_is_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(TeacherError, match=r"pip install 'kdsearch\[timm\]'"):
        build("resnet18", None, 3)
    assert SOURCES["timm"] is build


def test_without_weights_it_has_the_datas_classes(timm: ModuleType) -> None:
    network = build(SMALL, None, 6).eval()
    assert network(torch.zeros(1, 3, 32, 32)).shape == (1, 6)


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_a_file_brings_its_number_of_classes(
    timm: ModuleType, tmp_path: Path, suffix: str
) -> None:
    state = timm.create_model(SMALL, num_classes=7).state_dict()
    path = tmp_path / f"net{suffix}"
    (save_file if suffix == ".safetensors" else torch.save)(state, path)
    built = build(SMALL, str(path), 3).state_dict()
    assert all(torch.equal(built[name], value) for name, value in state.items())


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("resnt18", "resnet18"),
        ("resnet18.a1_in1", "resnet18.a1_in1k"),
        ("resnt18.a1", "resnet18"),
    ],
)
def test_a_mistyped_name_gets_the_nearest(timm: ModuleType, name: str, near: str) -> None:
    with pytest.raises(TeacherError, match=f"timm has no network '{name}'; did you mean '"):
        build(name, None, 3)
    assert build(near, None, 3).num_classes == 3


def test_default_weights_are_timms(timm: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, asked = timm.create_model, []

    def create(name: str, **options: object) -> torch.nn.Module:
        asked.append((name, options))
        return whole(name)

    monkeypatch.setattr(timm, "create_model", create)
    build(SMALL, "DEFAULT", 3)
    assert asked == [(SMALL, {"pretrained": True})]


@pytest.mark.parametrize("error", [OSError("no route"), RuntimeError("no weights exist")])
def test_without_a_network_the_way_out_is_a_file(
    timm: ModuleType, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(name: str, **options: object) -> torch.nn.Module:
        raise error

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(TeacherError, match="cannot fetch those of timm:test_resnet .*its path"):
        build(SMALL, "DEFAULT", 3)


def test_one_may_be_shaped_for_students(
    timm: ModuleType, course: Course, tmp_path: Path
) -> None:
    """Its stages are found, and branches attach to them."""
    origin = Origin(f"timm:{SMALL}", "resnet", {}, size=32)
    with pytest.raises(TeacherError, match="without teacher.weights knows nothing"):
        make_teacher(origin, "none", course, tmp_path / "none")
    make_teacher(origin, "generic", course, tmp_path / "teacher")
    assert len(load_teacher(tmp_path / "teacher", course).body.taps) > 2

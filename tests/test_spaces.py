"""Shelved spaces, spaces of one's own, and one clear line for each way to get them wrong."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from kdsearch.core.records import Architecture
from kdsearch.errors import ConfigError, UserError
from kdsearch.nets import FAMILIES
from kdsearch.spaces import list_spaces, load_space
from kdsearch.spaces import shelf as shelf_module
from kdsearch.spaces.marked import read_text, read_value, written

OWN = """\
family: resnet
min_size: 8
max_size: 16
choices:
  stage1.width: [2, 4]
  stage1.depth: [1]
"""


def space_file(folder: Path, text: str) -> Path:
    path = folder / "own.yaml"
    path.write_text(text)
    return path


def test_the_shelf_holds_the_promised_spaces() -> None:
    assert set(list_spaces()) >= {"resnet-tiny", "resnet-cifar", "mobile-s32"}
    tiny, cifar = load_space("resnet-tiny"), load_space("resnet-cifar")
    assert (tiny.count, tiny.min_size, tiny.max_size) == (1000, 8, 32)
    assert (cifar.count, cifar.max_size) == (8000, 32)
    assert tiny.space.smallest()["stage1.width"] == 2
    assert [cifar.space.largest()[f"stage{s}.width"] for s in (1, 2, 3)] == [64, 128, 256]


@pytest.mark.parametrize("name", list_spaces())
def test_a_shelved_space_states_its_own_size(name: str) -> None:
    """The stated parameters are those of the networks that its family builds."""
    found = load_space(name)
    family = FAMILIES[found.family]
    family.check(found.space)
    sizes = []
    for end in (found.space.smallest(), found.space.largest()):
        with torch.device("meta"):
            student = family.student(Architecture.of(end), 3, 10)
        sizes.append(sum(parameter.numel() for parameter in student.parameters()))
    assert found.params == tuple(sizes)
    assert "count:" in (shelf_module.shelf() / f"{name}.yaml").read_text()
    assert found.description


def test_the_smallest_student_of_resnet_tiny_counted_by_hand() -> None:
    stem = 3 * 2 * 9 + 2 * 2
    stage1 = 2 * (2 * 2 * 9 + 2 * 2)
    stage2 = (2 * 4 * 9 + 2 * 4) + (4 * 4 * 9 + 2 * 4) + (2 * 4 + 2 * 4)
    stage3 = (4 * 8 * 9 + 2 * 8) + (8 * 8 * 9 + 2 * 8) + (4 * 8 + 2 * 8)
    params = load_space("resnet-tiny").params
    assert params is not None
    assert params[0] == stem + stage1 + stage2 + stage3 + 8 * 10 + 10


def test_a_space_of_ones_own_needs_no_count(tmp_path: Path) -> None:
    found = load_space(space_file(tmp_path, OWN))
    assert (found.name, found.count, found.params) == ("own", 2, None)
    assert list(found.space.axes) == ["stage1.width", "stage1.depth"]
    assert load_space(str(tmp_path / "own.yaml")) == found


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(
        UserError, match="no search space 'resnet-tny'; did you mean 'resnet-tiny'"
    ):
        load_space("resnet-tny")
    with pytest.raises(
        UserError, match=r"no search space file 'no/such.yaml'; shelved: .*resnet-"
    ):
        load_space("no/such.yaml")
    with pytest.raises(UserError, match="no search space file"):
        load_space("a/" * 3000)


WRONG = {
    "stage1.width: [2, 4]": {
        "stage1.width: [4, 2]": ":5:21: choices.stage1.width[1] = 2: the numbers must rise",
        "stage1.width: [2, 2]": ":5:21: choices.stage1.width[1] = 2: the numbers must rise",
        "stage1.width: [2, x]": ":5:21: choices.stage1.width[1] = 'x': must be a number",
        "stage1.width: [true]": ":5:18: choices.stage1.width[0] = true: must be a number",
        "stage1.width: []": ":5:17: choices.stage1.width = []: must be a list of numbers",
        "stage1.width: 2": ":5:17: choices.stage1.width = 2: must be a list of numbers",
        "stage1.depth: [2]": ":6:3: choices.stage1.depth: given twice; first on line 5",
    },
    "min_size: 8": {
        "min_siz: 8": ":2:1: min_siz: unknown key; did you mean 'min_size'?",
        "min_size: 0": ":2:11: min_size = 0: must be a whole number from 1 up",
        "min_size: 8.0": ":2:11: min_size = 8.0: must be a whole number",
        "min_size: 32": ":3:11: max_size = 16: must be at least min_size",
        "": ":1:1: 'min_size' is missing",
        "min_size: 8\ncount: 3": ":3:8: count = 3: the choices make 2 students",
        "min_size: 8\nparams: [9, 3]": ":3:9: params = [9, 3]: must be [smallest, largest]",
        "min_size: 8\nparams: many": ":3:9: params = 'many': must be [smallest, largest]",
    },
    "family: resnet": {
        "family: 5": ":1:9: family = 5: must be text",
        "family: [resnet": ": not YAML: ",
        "family: two words": ":1:9: family = 'two words': must be the name of a family",
    },
}


@pytest.mark.parametrize(
    ("right", "wrong", "line"),
    [(right, wrong, line) for right, rows in WRONG.items() for wrong, line in rows.items()],
)
def test_a_wrong_space_file_gives_one_line(
    tmp_path: Path, right: str, wrong: str, line: str
) -> None:
    path = space_file(tmp_path, OWN.replace(right, wrong))
    with pytest.raises(ConfigError) as caught:
        load_space(path)
    assert "own.yaml:" in str(caught.value)
    assert line in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_an_installed_wheel_carries_its_shelf(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a wheel the spaces lie inside the package; they win over a folder beside it."""
    package = tmp_path / "kdsearch"
    for folder in (package / "search_spaces", tmp_path / "search_spaces"):
        folder.mkdir(parents=True)
    monkeypatch.setattr(shelf_module, "__file__", str(package / "spaces" / "shelf.py"))
    assert shelf_module.shelf() == package / "search_spaces"
    (package / "search_spaces").rmdir()
    assert shelf_module.shelf() == tmp_path / "search_spaces"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1.5E+2", 150.0),
        (".5", 0.5),
        ("-7", -7),
        ("010", 10),
        ("no", "no"),
        ("12:30", "12:30"),
        ("2024-01-01", "2024-01-01"),
        ("1_000", "1_000"),
        ("True", True),
        ("~", None),
        ("", None),
        ("'1'", "1"),
        ("[1, {a: x}]", (1, {"a": "x"})),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text: str, value: object) -> None:
    found = read_value(text, "here")
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "value", ["1e-3", "no", "true", "", " a", "a: b", "#", "x\ny", "é\x07", "~"]
)
def test_written_text_reads_back_as_text(value: str) -> None:
    assert read_value(written(value), "here") == value
    assert "\n" not in written(value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a:\n\tb: 1", "here:2:1: not YAML: a tab; indent with spaces"),
        ("a: &x [1]\nb: *x", "here:2:4: aliases"),
        ("a: !!python/name:os.system x", "here:1:4: a: the tag"),
        ("a: 1\nb: \x07", "here:2:4: not YAML: an unprintable character"),
        ("a: 'x", "here:1:6: not YAML: "),
        ("- a", "here:1:1: needs keys and values at its top level"),
        ("? [a]\n: 1", "here:1:3: a key is one word"),
        (f"a: {'9' * 5000}", "here:1:4: a: '999"),
        ("[" * 5000 + "]" * 5000, "here: not YAML: nested too deep"),
        ("a: 1\n---\nb: 2", "here:2:1: not YAML"),
    ],
)
def test_what_is_not_plain_yaml_gives_one_line(text: str, line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_text(text, "here")
    assert str(caught.value).startswith(line)
    assert len(str(caught.value).splitlines()) == 1


def test_spaces_and_config_leave_torch_alone() -> None:
    code = (
        "import sys, kdsearch.spaces, kdsearch.config, kdsearch.pipeline.init as i;"
        "i.starter(); kdsearch.spaces.load_space('resnet-tiny');"
        "assert not {'torch', 'optuna', 'ray'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_file_is_parsed_once_and_again_when_it_has_changed(tmp_path: Path) -> None:
    path = space_file(tmp_path, OWN)
    first = load_space(path)
    assert load_space(path) is first
    space_file(tmp_path, OWN.replace("[2, 4]", "[2, 6]"))
    assert load_space(path).space.largest()["stage1.width"] == 6

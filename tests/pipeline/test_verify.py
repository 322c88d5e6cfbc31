"""Verb `verify`: a folder checked from the folder alone; what was damaged is named."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kdsearch import cli
from kdsearch.errors import ArtefactError, UserError
from kdsearch.export.sealed import CARD, seal
from kdsearch.files import read_json, write_json
from kdsearch.pipeline.students import export
from kdsearch.pipeline.verify import verify, words
from kdsearch.rundir import RunDir

NAMES = ["safetensors", "python"]
LARGE = (("width", 60_000), ("depth", 1))


@pytest.fixture(scope="module")
def whole(finished: RunDir, tmp_path_factory: pytest.TempPathFactory) -> Path:
    to = tmp_path_factory.mktemp("whole") / "student"
    export(finished, read_json(finished.front)["points"][0]["id"], to, NAMES)
    return to


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "student"))


Change = Callable[[dict[str, Any]], None]


def resealed(folder: Path, change: Change) -> None:
    """The card as its author might have written it: changed, files and all, and sealed."""
    content = read_json(folder / CARD)
    change(content)
    write_json(folder / CARD, seal(content))


def rehashed(folder: Path, name: str) -> Change:
    from kdsearch.export.card import listed

    return lambda content: content["files"].update(listed([folder / name]))


def test_a_whole_folder_passes_and_is_left_as_it_was(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    found = verify(folder)
    assert list(found["artefacts"]) == NAMES
    for row in found["artefacts"].values():
        assert (row["images"], row["top1_agreement"]) == (64, 1)
        assert row["relative"] < 1e-5 and 0 <= row["test_accuracy"] <= 1
        assert row["runtime"] == row["runtime_here"]
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    text = words(found)
    assert all(name in text for name in NAMES) and "files are whole" in text


def test_every_damaged_file_is_named_and_the_command_fails(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [path.name for path in whole.iterdir()]:
        damaged = Path(shutil.copytree(whole, tmp_path / name))
        content = bytearray((damaged / name).read_bytes())
        content[len(content) // 2] ^= 1
        (damaged / name).write_bytes(bytes(content))
        assert cli.main(["verify", str(damaged)]) == 2
        said = capsys.readouterr().err
        assert len(said.splitlines()) == 1 and f"{damaged / name}: " in said, said


def test_weights_of_another_student_are_noticed_though_everything_is_sealed(
    folder: Path,
) -> None:
    import safetensors.torch

    weights = safetensors.torch.load_file(folder / "model.safetensors")
    weights["classifier.bias"][0] += 50
    safetensors.torch.save_file(weights, folder / "model.safetensors")
    resealed(folder, rehashed(folder, "model.safetensors"))
    with pytest.raises(ArtefactError, match=r"model\.safetensors: safetensors: what was"):
        verify(folder)


def test_source_that_kdsearch_did_not_write_is_run_by_nobody_unasked(folder: Path) -> None:
    mark = folder / "mark"
    source = folder / "student.py"
    source.write_text(f"{source.read_text()}\nPath({str(mark)!r}).touch()\n")
    resealed(folder, rehashed(folder, "student.py"))
    with pytest.raises(ArtefactError, match=r"student\.py: not what this .*--trust-code"):
        verify(folder)
    assert not mark.exists()
    assert verify(folder, trust_code=True)
    assert mark.exists()


def test_code_that_a_config_names_is_run_by_nobody_unasked(folder: Path) -> None:
    spec = read_json(folder / "config.json") | {"family": "module:somewhere:build"}
    write_json(folder / "config.json", spec)
    resealed(folder, rehashed(folder, "config.json"))
    with pytest.raises(ArtefactError, match="module:somewhere:build would run code"):
        verify(folder)


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({}, "makes no resnet"),
        ({"stage1.depth": "x"}, "makes no resnet"),
        ({"stage1.depth": 0.5, "stage2.depth": 1}, "makes no resnet|not what this version"),
        (
            {f"stage{s}.{a}": 500 for s in (1, 2) for a in ("width", "depth")},
            "bytes of weights",
        ),
    ],
)
def test_a_source_whose_card_makes_no_student(
    choices: dict[str, Any],
    message: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def ours(content: dict[str, Any]) -> None:
        content["spec"]["architecture"] = choices
        content["artefacts"].pop("safetensors")

    resealed(folder, ours)
    monkeypatch.setattr("kdsearch.export.python.Python.load", None)
    assert cli.main(["verify", str(folder)]) == 2
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1 and re.search(message, said), said


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["files"].pop("check.safetensors"), "says nothing of check.safetensors"),
        (lambda c: c["files"].pop("student.py"), "says nothing of student.py|not as an export"),
        (lambda c: c["artefacts"].update(anything=c["artefacts"]["python"]), "unknown format"),
        (
            lambda c: c["files"].update({"../x": {"bytes": 1, "sha256": ""}}),
            "no name of",
        ),
        (lambda c: c["spec"].update(classes=["a"]), "not the images of this student"),
    ],
)
def test_a_card_that_leaves_something_out(change: Change, message: str, folder: Path) -> None:
    resealed(folder, change)
    with pytest.raises(UserError, match=message):
        verify(folder)


def test_a_runtime_that_is_not_here_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from kdsearch.export.python import Python

    monkeypatch.setattr(Python, "extra", "nowhere")
    assert cli.main(["verify", str(folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["artefacts"]["python"] == {
        "reason": "python needs nowhere: pip install 'kdsearch[nowhere]'"
    }
    assert "not run: python needs nowhere" in words(found)
    resealed(folder, lambda content: content["artefacts"].pop("safetensors"))
    with pytest.raises(UserError, match="nothing of it can be run here: python needs"):
        verify(folder)


def test_no_folder_at_all(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="no folder here; `kdsearch export"):
        verify(tmp_path / "none")

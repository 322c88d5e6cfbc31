"""A published student handed over: files that compute what the student computes."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from kdsearch.data.augment import normalise
from kdsearch.data.load import load_search
from kdsearch.errors import RunError, UserError
from kdsearch.export import FORMATS
from kdsearch.export.sealed import check_files
from kdsearch.files import read_json, write_json
from kdsearch.pipeline.students import checked_words, export, network
from kdsearch.pipeline.verify import verify, words
from kdsearch.rundir import RunDir


def here(name: str) -> bool:
    """Whether this format can be written: some need an extra."""
    try:
        FORMATS[name].check({"family": "resnet"})
    except UserError:
        return False
    return True


NAMES = [name for name in FORMATS if here(name)]


@pytest.fixture(scope="session")
def logged(finished: RunDir, tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """The finished run, where openings of the test split may be logged."""
    root = tmp_path_factory.mktemp("logged") / "run"
    shutil.copytree(finished.root, root, symlinks=True)
    return RunDir(root)


@pytest.fixture(scope="session")
def exported(
    logged: RunDir, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path, dict[str, Any]]:
    """The fastest student's id, its folder and its card, in every format that can be."""
    student = read_json(logged.front)["points"][0]["id"]
    to = tmp_path_factory.mktemp("exported") / "student"
    return student, to, export(logged, student, to, NAMES, licence="mit")


@pytest.mark.parametrize("name", FORMATS)
def test_an_artefact_reloads_and_agrees_on_every_image(
    name: str, exported: tuple[str, Path, dict[str, Any]], finished: RunDir
) -> None:
    """On search-validation images, which the export's own check has not seen."""
    student, folder, card = exported
    if name not in NAMES:
        pytest.skip(f"{name} needs an extra that is not installed")
    assert card["parity"][name]["images"] == 256
    data = load_search(finished.root / "data")
    images = normalise(data.search_val.images, data.info.mean, data.info.std)
    with torch.no_grad():
        expected = network(finished, student)(images).logits.numpy()
    found = FORMATS[name].load(folder)(images.numpy())
    if FORMATS[name].is_quantised:
        assert (found.argmax(1) == expected.argmax(1)).mean() > 0.8
        return
    assert card["parity"][name]["top1_agreement"] == 1
    assert (found.argmax(1) == expected.argmax(1)).all()
    np.testing.assert_allclose(found, expected, atol=1e-3 * np.abs(expected).max())


def test_each_artefact_is_scored_on_the_test_split_which_is_logged(
    exported: tuple[str, Path, dict[str, Any]], logged: RunDir
) -> None:
    student, _, card = exported
    first, *_, last = map(json.loads, logged.test_openings.read_text().splitlines())
    assert last["purpose"] == f"check of exported {student}"
    for name, known in card["artefacts"].items():
        off = abs(known["test_accuracy"] - card["test_accuracy"])
        assert off <= (0.1 if FORMATS[name].is_quantised else 0)
        assert known["latency"]["p50"] <= known["latency"]["p95"]
        assert known["latency"]["batch_size"] == 1
    assert sum(row["images"] for row in card["per_class"]) == first["images"]


def test_the_folder_alone_can_be_verified(
    exported: tuple[str, Path, dict[str, Any]], tmp_path: Path
) -> None:
    shutil.copytree(exported[1], tmp_path / "moved")
    found = verify(tmp_path / "moved")
    assert list(found["artefacts"]) == NAMES
    for name, row in found["artefacts"].items():
        assert row["images"] == 64
        assert row["relative"] <= (0.5 if FORMATS[name].is_quantised else 1e-4)
    lines = words(found).splitlines()
    assert [line.split()[0] for line in lines[3:]] == NAMES


def test_the_card_says_what_the_front_says(
    exported: tuple[str, Path, dict[str, Any]], finished: RunDir
) -> None:
    student, folder, card = exported
    assert read_json(folder / "card.json") == card
    check_files(folder, card["files"])
    (point,) = [p for p in read_json(finished.front)["points"] if p["id"] == student]
    for name in (
        "id",
        "recipe",
        "search_accuracy",
        "test_accuracy",
        "params",
        "macs",
        "latency",
    ):
        assert card[name] == point[name]
    assert card["architecture"] == point["architecture"]
    assert card["classes"] == [str(digit) for digit in range(10)]
    assert card["input"]["shape"] == ["batch", 1, 8, 8]
    artefacts = {name for form in NAMES for name in FORMATS[form].files}
    assert set(card["files"]) == artefacts | {"check.safetensors", "README.md"}
    assert card["licence"] == "mit"
    assert card["data"]["name"] == "digits" and card["data"]["images"]["calibration"] == 256
    assert card["teacher"]["network"] == "family"
    assert not any(
        place in path.read_bytes()
        for path in folder.iterdir()
        for place in (str(finished.root).encode(), b"site-packages")
    ), "nothing tells where it was made"


def test_a_second_export_of_the_same_student_does_nothing(
    exported: tuple[str, Path, dict[str, Any]], logged: RunDir
) -> None:
    student, folder, card = exported
    openings = logged.test_openings.read_bytes()
    before = {p: (p.stat().st_ino, p.stat().st_mtime_ns) for p in folder.iterdir()}
    assert export(logged, student, folder, NAMES, licence="mit") == card
    assert logged.test_openings.read_bytes() == openings
    assert {p: (p.stat().st_ino, p.stat().st_mtime_ns) for p in folder.iterdir()} == before


def test_the_cards_formula_is_how_images_are_shown(
    exported: tuple[str, Path, dict[str, Any]], finished: RunDir
) -> None:
    card = exported[2]["input"]
    data = load_search(finished.root / "data")
    pixels = data.search_val.images[:3].float()
    mean = torch.tensor(card["mean"]).view(1, -1, 1, 1)
    std = torch.tensor(card["std"]).view(1, -1, 1, 1)
    by_card = (pixels * card["scale"] - mean) / std
    shown = normalise(data.search_val.images[:3], data.info.mean, data.info.std)
    torch.testing.assert_close(by_card, shown)


def test_words_name_each_format_and_file(
    exported: tuple[str, Path, dict[str, Any]],
) -> None:
    student, folder, card = exported
    lines = checked_words(student, card, folder).splitlines()
    assert lines[0] == f"{student} handed over to {folder}"
    for name in (*NAMES, *card["files"]):
        assert any(line.strip().startswith(name) for line in lines[1:])


def test_a_mistake_writes_nothing(finished: RunDir, tmp_path: Path) -> None:
    student = read_json(finished.front)["points"][0]["id"]
    with pytest.raises(UserError, match="unknown format 'onx'; did you mean 'onnx'"):
        export(finished, student, tmp_path / "out", ["safetensors", "onx"])
    with pytest.raises(UserError, match=f"no student '{student}x' on the front; did you mean"):
        export(finished, f"{student}x", tmp_path / "out", ["safetensors"])
    assert list(tmp_path.iterdir()) == []


def test_a_lost_student_is_named_and_made_again(copied: RunDir, tiny: Any, go: Any) -> None:
    student = copied.read(copied.front)["points"][0]["id"]
    for name in ("student.safetensors", "card.json"):
        (copied.student(student) / name).unlink()
        with pytest.raises(
            RunError, match=rf"{name}: .*the command that made it makes it again"
        ):
            network(copied, student)
        go(tiny(), copied.root)
        assert network(copied, student)


def test_damaged_weights_are_named_with_the_way_out(copied: RunDir) -> None:
    student = copied.read(copied.front)["points"][0]["id"]
    path = copied.student(student) / "student.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(RunError, match=rf"no whole weights; remove {path.parent}, and"):
        network(copied, student)


def test_where_an_export_cannot_go(finished: RunDir, tmp_path: Path) -> None:
    student = finished.read(finished.front)["points"][0]["id"]
    (tmp_path / "file").write_text("")
    for to in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(RunError, match=r"file: cannot be a folder \(a file is there\)"):
            export(finished, student, to, ["safetensors"])
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "card.json").write_text("{")
    with pytest.raises(UserError, match=r"old: its card\.json is damaged; remove it, or"):
        export(finished, student, tmp_path / "old", ["safetensors"])


def test_an_export_finds_data_that_moved(
    copied: RunDir, exported: tuple[str, Path, dict[str, Any]], tmp_path: Path
) -> None:
    student, _, card = exported
    known = copied.student(student) / "card.json"
    write_json(known, {**read_json(known), "data": str(tmp_path / "gone")})
    again = export(copied, student, tmp_path / "student", ["safetensors"])
    assert again["parity"]["safetensors"] == card["parity"]["safetensors"]

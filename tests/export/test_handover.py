import contextlib
import json
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
import torch

from kdsearch import export
from kdsearch.data.records import Split
from kdsearch.errors import ExportError, UserError
from kdsearch.export.handover import DELIVERY, Order, Shown, hand_over, publish
from kdsearch.export.pt2 import Pt2
from kdsearch.export.safetensors import Safetensors
from kdsearch.export.sealed import NORMALISED, PIXELS, check_files, read_card


class Wrong:
    """Writes what it is given and reads something else back."""

    name = "wrong"
    files = ("model.wrong",)
    is_quantised = False
    is_graph = False
    extra = ""
    usage = "import wrong"

    def check(self, spec):
        pass

    def write(self, original, folder):
        (folder / "model.wrong").write_bytes(b"x")
        return {"marks": 3}

    def load(self, folder, *, threads=1):
        return lambda images: -images[:, :1].mean((2, 3)).repeat(3, 1)

    def runtime(self):
        return "Nothing 1.0"


class Plain(Wrong):
    """Safetensors under one more name, with a file of its own."""

    name = "plain"
    files = ("model.safetensors", "config.json", "model.wrong")

    def write(self, original, folder):
        assert not any(part.training for part in original.student.modules())
        Safetensors().write(original, folder)
        return super().write(original, folder)

    def load(self, folder, *, threads=1):
        return Safetensors().load(folder, threads=threads)


class Forgetful(Plain):
    """Cannot be written here."""

    name = "forgetful"

    def check(self, spec):
        raise UserError("forgetful needs what is not here")


@pytest.fixture(autouse=True)
def more_formats(monkeypatch):
    table = dict(export.FORMATS) | {one.name: one for one in (Wrong(), Plain(), Forgetful())}
    monkeypatch.setattr(export, "FORMATS", MappingProxyType(table))


@pytest.fixture
def shown(pixels):
    return Shown(pixels, Split(pixels[:40], torch.arange(40) % 3))


def deliver(student, spec, shown, folder, *names, **more):
    order = Order(names, rounds=3, **more)
    return hand_over(student, spec, shown, folder, order, {"recipe": None})


def test_all_is_written_checked_measured_and_told_of(student, spec, shown, tmp_path, capfd):
    folder = tmp_path / "new" / "out"
    content = deliver(student, spec, shown, folder, "safetensors", "python", batch_size=4)
    assert {p.name for p in folder.iterdir()} == set(content["files"]) | {"card.json"}
    assert {"README.md", "check.safetensors", "student.py"} < set(content["files"])
    assert json.loads((folder / "card.json").read_text()) == content == read_card(folder)
    check_files(folder, content["files"])
    assert [p.name for p in folder.parent.iterdir()] == ["out"]
    assert capfd.readouterr() == ("", "")
    for name, numbers in content["parity"].items():
        assert (numbers["top1_agreement"], numbers["images"]) == (1, 80)
        assert numbers["relative"] < 1e-5
        known = content["artefacts"][name]
        assert known["latency"]["p50"] > 0 and known["latency"]["batch_size"] == 4
        assert known["takes"] == NORMALISED and known["runtime"].startswith("PyTorch ")
    assert content["artefacts"]["python"]["bytes"] == sum(
        content["files"][name]["bytes"] for name in ("student.py", "model.safetensors")
    )


def test_accuracy_is_that_of_the_artefact(student, spec, shown, tmp_path):
    content = deliver(student, spec, shown, tmp_path / "out", "plain")
    call = Safetensors().load(tmp_path / "out")
    mean, std = (torch.tensor(spec[k]).view(-1, 1, 1) for k in ("mean", "std"))
    images = (shown.test.images / 255 - mean) / std
    hits = call(images.numpy()).argmax(1) == shown.test.labels.numpy()
    known = content["artefacts"]["plain"]
    assert known["test_accuracy"] == hits.mean()
    assert known["test_accuracy_ci95"][0] < hits.mean() < known["test_accuracy_ci95"][1]
    assert known["marks"] == 3
    rows = content["per_class"]
    assert [row["class"] for row in rows] == spec["classes"]
    assert sum(row["images"] for row in rows) == 40
    found = sum(round(row["recall"] * row["images"]) for row in rows)
    assert found == hits.sum()


def test_without_a_test_split_there_is_no_accuracy(student, spec, pixels, tmp_path):
    content = deliver(student, spec, Shown(pixels), tmp_path / "out", "plain")
    assert "per_class" not in content and "test_accuracy" not in content["artefacts"]["plain"]
    assert "not measured" in (tmp_path / "out" / "README.md").read_text()


def test_student_in_training_mode_is_handed_over_as_evaluated(student, spec, shown, tmp_path):
    student.train()
    before = {name: tensor.clone() for name, tensor in student.state_dict().items()}
    try:
        deliver(student, spec, shown, tmp_path / "out", "plain")
        assert student.training
        torch.testing.assert_close(dict(student.state_dict()), before, rtol=0, atol=0)
    finally:
        student.eval()


def test_graphs_with_preprocessing_take_pixels(
    student, spec, shown, pixels, expected, tmp_path
):
    names = ("safetensors", "pt2")
    content = deliver(student, spec, shown, tmp_path / "out", *names, preprocessing=True)
    takes = {name: known["takes"] for name, known in content["artefacts"].items()}
    assert takes == {"safetensors": NORMALISED, "pt2": PIXELS}
    found = Pt2().load(tmp_path / "out")(pixels.numpy())
    np.testing.assert_allclose(found, expected, atol=1e-5)
    scores = [known["test_accuracy"] for known in content["artefacts"].values()]
    assert scores[0] == scores[1]


def test_one_wrong_artefact_and_nothing_is_left(student, spec, shown, tmp_path):
    with pytest.raises(ExportError, match="^wrong: "):
        deliver(student, spec, shown, tmp_path / "out", "safetensors", "wrong")
    assert list(tmp_path.iterdir()) == []


def test_failing_leaves_an_earlier_export_as_it_was(student, spec, shown, tmp_path):
    content = deliver(student, spec, shown, tmp_path / "out", "safetensors")
    with pytest.raises(ExportError):
        deliver(student, spec, shown, tmp_path / "out", "wrong")
    check_files(tmp_path / "out", content["files"])


def test_next_export_replaces_the_earlier_one_and_nothing_else(student, spec, shown, tmp_path):
    folder = tmp_path / "out"
    deliver(student, spec, shown, folder, "plain")
    (folder / "notes.txt").write_text("mine")
    content = deliver(student, spec, shown, folder, "safetensors")
    names = {path.name for path in folder.iterdir()}
    assert names == set(content["files"]) | {"card.json", "notes.txt"}
    assert "model.wrong" not in names


def drafted(folder, *names):
    """Files as they are before they are moved, and what their card says."""
    folder.mkdir()
    for name in names:
        (folder / name).write_text(name)
    return [folder / name for name in names], {"files": dict.fromkeys(names, {})}


def test_a_card_can_only_have_files_of_ours_removed(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    folder = tmp_path / "out"
    (folder / "model.xml").mkdir(parents=True)
    names = ("../mine.txt", str(tmp_path / "mine.txt"), "notes.txt", "model.xml", "model.onnx")
    (folder / "card.json").write_text(json.dumps({"files": dict.fromkeys(names, {})}))
    for name in ("notes.txt", "model.onnx"):
        (folder / name).write_text("old")
    publish(*drafted(tmp_path / "draft", "model.pt2"), folder)
    assert (tmp_path / "mine.txt").exists() and (folder / "notes.txt").exists()
    assert (folder / "model.xml").is_dir() and not (folder / "model.onnx").exists()


def test_what_was_delivered_before_vouches_for_no_other_student(tmp_path):
    folder = tmp_path / "out"
    publish(*drafted(tmp_path / "one", "model.onnx"), folder)
    (folder / DELIVERY).write_text("{}")
    publish(*drafted(tmp_path / "two", "model.onnx"), folder)
    assert {path.name for path in folder.iterdir()} == {"model.onnx", "card.json"}


@pytest.mark.parametrize("changes", range(8))
def test_the_next_export_clears_up_wherever_one_was_cut_off(changes, tmp_path, monkeypatch):
    """Killed after so many files were moved or removed; the last number is beyond the end."""
    folder, left = tmp_path / "out", [changes]

    def until_it_is_cut_off(change):
        def changed(path, *words, **more):
            left[0] -= 1
            if left[0] == -1:
                raise KeyboardInterrupt
            return change(path, *words, **more)

        return changed

    publish(*drafted(tmp_path / "one", "model.onnx", "README.md"), folder)
    (folder / DELIVERY).write_text("{}")
    with monkeypatch.context() as patch:
        for name in ("unlink", "replace"):
            patch.setattr(Path, name, until_it_is_cut_off(getattr(Path, name)))
        with contextlib.suppress(KeyboardInterrupt):
            publish(*drafted(tmp_path / "two", "model.onnx", "model.xml", "model.bin"), folder)
    assert (left[0] < 0) == (changes < 7)
    publish(*drafted(tmp_path / "three", "model.pt2"), folder)
    assert {path.name for path in folder.iterdir()} == {"model.pt2", "card.json"}


@pytest.mark.parametrize(
    ("names", "more", "message"),
    [
        (["safetensors", "onx"], {}, "unknown format 'onx'; did you mean 'onnx'"),
        (["safetensors", "forgetful"], {}, "forgetful needs what is not here"),
        ([], {}, "export to which format"),
        (["safetensors"], {"licence": "mit\nmalicious: yes"}, "is no identifier"),
    ],
)
def test_a_mistake_is_told_before_anything_is_written(
    names, more, message, spec, shown, tmp_path
):
    with pytest.raises(UserError, match=message):
        deliver(None, spec, shown, tmp_path / "out", *names, **more)
    assert list(tmp_path.iterdir()) == []

import json
from types import MappingProxyType

import pytest
import torch

from kdsearch import export
from kdsearch.errors import ExportError, UserError
from kdsearch.export.card import check_files
from kdsearch.export.handover import hand_over
from kdsearch.export.onnx import Onnx
from kdsearch.export.safetensors import Safetensors


class Wrong:
    """Writes what it is given and reads something else back."""

    name = "wrong"

    def write(self, student, spec, example, folder):
        (folder / "model.wrong").write_bytes(b"x")
        return [folder / "model.wrong"]

    def load(self, folder):
        return lambda images: -images[:, :1].mean((2, 3)).repeat(3, 1)


class Plain(Wrong):
    """Safetensors under one more name, with a file of its own."""

    name = "plain"

    def write(self, student, spec, example, folder):
        assert not any(part.training for part in student.modules())
        paths = Safetensors().write(student, spec, example, folder)
        return [*paths, *super().write(student, spec, example, folder)]

    def load(self, folder):
        return Safetensors().load(folder)


@pytest.fixture(autouse=True)
def more_formats(monkeypatch):
    table = dict(export.FORMATS) | {"wrong": Wrong(), "plain": Plain()}
    monkeypatch.setattr(export, "FORMATS", MappingProxyType(table))


def deliver(student, spec, images, folder, *names):
    return hand_over(student, spec, images, folder, names=names, facts={"recipe": None})


def test_all_formats_are_written_checked_and_told_of(student, spec, images, tmp_path, capfd):
    folder = tmp_path / "new" / "out"
    content = deliver(student, spec, images, folder, "safetensors", "onnx")
    assert {p.name for p in folder.iterdir()} == set(content["files"]) | {"card.json"}
    assert json.loads((folder / "card.json").read_text()) == content
    check_files(folder)
    for numbers in content["parity"].values():
        assert numbers["top1_agreement"] == 1
        assert numbers["images"] == 80
        assert numbers["relative"] < 1e-5
    assert [p.name for p in folder.parent.iterdir()] == ["out"]
    assert capfd.readouterr() == ("", "")


def test_student_in_training_mode_is_handed_over_as_evaluated(student, spec, images, tmp_path):
    student.train()
    before = {name: tensor.clone() for name, tensor in student.state_dict().items()}
    try:
        deliver(student, spec, images, tmp_path / "out", "plain", "onnx")
        assert student.training
        torch.testing.assert_close(dict(student.state_dict()), before, rtol=0, atol=0)
    finally:
        student.eval()
    with torch.no_grad():
        expected = student(images).logits
    actual = Onnx().load(tmp_path / "out")(images.numpy())
    torch.testing.assert_close(torch.from_numpy(actual), expected)


def test_one_wrong_artefact_and_nothing_is_left(student, spec, images, tmp_path):
    with pytest.raises(ExportError, match="^wrong: "):
        deliver(student, spec, images, tmp_path / "out", "safetensors", "wrong")
    assert list(tmp_path.iterdir()) == []


def test_failing_leaves_an_earlier_export_as_it_was(student, spec, images, tmp_path):
    deliver(student, spec, images, tmp_path / "out", "safetensors")
    with pytest.raises(ExportError):
        deliver(student, spec, images, tmp_path / "out", "wrong")
    check_files(tmp_path / "out")


def test_next_export_replaces_the_earlier_one_and_nothing_else(student, spec, images, tmp_path):
    folder = tmp_path / "out"
    deliver(student, spec, images, folder, "plain")
    (folder / "notes.txt").write_text("mine")
    deliver(student, spec, images, folder, "safetensors")
    names = {path.name for path in folder.iterdir()}
    assert names == {"model.safetensors", "config.json", "card.json", "notes.txt"}


def test_unknown_format_is_told_before_anything_is_written(student, spec, images, tmp_path):
    with pytest.raises(UserError, match="unknown format 'onx'; did you mean 'onnx'"):
        deliver(student, spec, images, tmp_path / "out", "safetensors", "onx")
    assert list(tmp_path.iterdir()) == []

import hashlib
import json

import pytest

from kdsearch.errors import ExportError
from kdsearch.export.card import card, check_files
from kdsearch.export.parity import Parity
from kdsearch.files import write_json

FACTS = {
    "recipe": {"method": "soften", "knobs": {"temperature": 4.0}},
    "costs": {"params": 120, "macs": 4000, "latency_ms": {"here": 0.02}},
    "accuracies": {"search": 0.97, "test": 0.96},
}


@pytest.fixture
def folder(tmp_path, spec):
    artefact = tmp_path / "model.bin"
    artefact.write_bytes(b"weights")
    parity = {"bin": Parity(images=8, max_abs=1e-6, relative=1e-7, top1_agreement=1.0)}
    write_json(tmp_path / "card.json", card(spec, FACTS, parity, [artefact]))
    return tmp_path


def test_tells_what_is_needed_to_use_the_student(folder, spec):
    found = json.loads((folder / "card.json").read_text())
    assert {key: found[key] for key in FACTS} == FACTS
    assert (found["family"], found["architecture"]) == ("resnet", spec["architecture"])
    assert found["classes"] == ["cat", "dog", "bird"]
    assert found["input"]["shape"] == ["batch", 2, 8, 8]
    assert found["input"]["scale"] * 255 == 1
    assert (found["input"]["mean"], found["input"]["std"]) == ([0.4, 0.5], [0.2, 0.3])
    assert found["parity"]["bin"]["top1_agreement"] == 1
    assert found["versions"]["kdsearch"] and found["versions"]["torch"]
    assert found["files"]["model.bin"] == {
        "bytes": 7,
        "sha256": hashlib.sha256(b"weights").hexdigest(),
    }


def test_untouched_files_pass(folder):
    assert check_files(folder) is None


@pytest.mark.parametrize("content", [b"weighty", b"weights ", None])
def test_changed_or_missing_files_are_named(folder, content):
    (folder / "model.bin").unlink()
    if content is not None:
        (folder / "model.bin").write_bytes(content)
    with pytest.raises(ExportError, match="model.bin: not the file its card.json describes"):
        check_files(folder)

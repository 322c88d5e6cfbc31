import hashlib

from kdsearch.export.card import card, listed, versions
from kdsearch.export.parity import Parity

FACTS = {
    "recipe": {"method": "soften", "knobs": {"temperature": 4.0}},
    "costs": {"params": 120, "macs": 4000, "latency_ms": {"here": 0.02}},
    "accuracies": {"search": 0.97, "test": 0.96},
}


def test_tells_what_is_needed_to_use_the_student(spec):
    parity = {"bin": Parity(images=8, max_abs=1e-6, relative=1e-7, top1_agreement=1.0)}
    found = card(spec, FACTS, {"bin": {"files": ["model.bin"]}}, parity)
    assert {key: found[key] for key in FACTS} == FACTS
    assert (found["family"], found["architecture"]) == ("resnet", spec["architecture"])
    assert found["classes"] == ["cat", "dog", "bird"]
    assert found["input"]["shape"] == ["batch", 2, 8, 8]
    assert found["input"]["scale"] * 255 == 1
    assert (found["input"]["mean"], found["input"]["std"]) == ([0.4, 0.5], [0.2, 0.3])
    assert found["parity"]["bin"]["top1_agreement"] == 1
    assert found["artefacts"] == {"bin": {"files": ["model.bin"]}}


def test_versions_are_of_what_is_installed():
    assert {"kdsearch", "torch", "onnxruntime"} <= set(versions())
    assert all(number[0].isdigit() for number in versions().values())


def test_files_by_name(tmp_path):
    (tmp_path / "model.bin").write_bytes(b"weights")
    assert listed([tmp_path / "model.bin"]) == {
        "model.bin": {"bytes": 7, "sha256": hashlib.sha256(b"weights").hexdigest()}
    }

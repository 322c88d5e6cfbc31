"""`kdsearch.from_pretrained`: folders, and repositories by way of a hub that is faked."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import kdsearch
from kdsearch.core.records import Architecture
from kdsearch.errors import ArtefactError, UserError
from kdsearch.export.original import Original
from kdsearch.export.safetensors import Safetensors
from kdsearch.nets import FAMILIES

SPEC: dict[str, Any] = {
    "family": "resnet",
    "architecture": {f"stage{s}.{axis}": 1 for s in (1, 2, 3) for axis in ("width", "depth")},
    "channels": 1,
    "classes": ["a", "b"],
    "size": 8,
    "mean": [0.5],
    "std": [0.2],
}


@pytest.fixture
def original() -> Original:
    torch.manual_seed(0)
    student = FAMILIES["resnet"].student(Architecture.of(SPEC["architecture"]), 1, 2).eval()
    pixels = torch.randint(0, 256, (4, 1, 8, 8), dtype=torch.uint8)
    return Original(student, SPEC, pixels)


@pytest.fixture
def folder(original: Original, tmp_path: Path) -> Path:
    Safetensors().write(original, tmp_path)
    return tmp_path


def test_a_folder_gives_logits(folder: Path, original: Original) -> None:
    with torch.no_grad():
        found = kdsearch.from_pretrained(folder)(original.shown)
    torch.testing.assert_close(found, torch.from_numpy(original.expected), rtol=0, atol=0)


def test_a_repository_is_two_files_of_it(
    folder: Path, original: Original, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = pytest.importorskip("huggingface_hub", reason="needs the extra hub")
    asked = {}

    def download(name: str, **more: Any) -> str:
        asked.update(more, name=name)
        return str(folder)

    monkeypatch.setattr(hub, "snapshot_download", download)
    kdsearch.from_pretrained("owner/student", revision="v1")(original.shown)
    assert asked == {
        "name": "owner/student",
        "revision": "v1",
        "allow_patterns": ["config.json", "model.safetensors"],
    }


def test_a_hub_that_fails_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = pytest.importorskip("huggingface_hub", reason="needs the extra hub")

    def refuse(name: str, **more: Any) -> str:
        raise OSError("no network\nand a long story")

    monkeypatch.setattr(hub, "snapshot_download", refuse)
    with pytest.raises(UserError, match=r"not to be had from the hub \(no network\)$"):
        kdsearch.from_pretrained("owner/student")


def test_without_the_extra_the_way_to_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kdsearch.export.extras.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'kdsearch\[hub\]'"):
        kdsearch.from_pretrained("owner/student")


@pytest.mark.parametrize("name", ["nowhere", "../up", "/tmp/none", "a/b/c"])
def test_what_is_neither(name: str) -> None:
    with pytest.raises(UserError, match="no folder here, and no name of a repository"):
        kdsearch.from_pretrained(name)


def test_code_of_others_runs_only_where_it_is_trusted(folder: Path) -> None:
    config = folder / "config.json"
    config.write_text(json.dumps(SPEC | {"family": "module:nowhere:build"}))
    with pytest.raises(ArtefactError, match="would run code of its author's"):
        kdsearch.from_pretrained(folder)
    with pytest.raises(UserError, match="cannot import 'nowhere'"):
        kdsearch.from_pretrained(folder, trust_code=True)


def test_code_that_only_the_family_of_an_origin_names(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tmp_path / "mark"
    (tmp_path / "somebodys_evil.py").write_text(f"open({str(mark)!r}, 'w').close()\n")
    monkeypatch.syspath_prepend(tmp_path)
    for network in ("family", "torchvision:resnet18"):
        origin = {"network": network, "family": "module:somebodys_evil:build", "weights": None}
        (folder / "config.json").write_text(
            json.dumps(SPEC | {"origin": origin | {"architecture": {}}})
        )
        with pytest.raises(ArtefactError, match="does not describe|would run code"):
            kdsearch.from_pretrained(folder)
    assert not mark.exists()


@pytest.mark.parametrize(
    "changed", [{"architecture": {}}, {"channels": 2, "mean": [0, 0], "std": [1, 1]}]
)
def test_weights_of_another_student(folder: Path, changed: dict[str, Any]) -> None:
    (folder / "config.json").write_text(json.dumps(SPEC | changed))
    with pytest.raises(ArtefactError, match=r"config\.json make no student \("):
        kdsearch.from_pretrained(folder)

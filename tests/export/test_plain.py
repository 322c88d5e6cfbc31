"""Students as source: exactly what the family computes, for students of every kind."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from kdsearch.core.records import Architecture
from kdsearch.errors import ArtefactError, UserError
from kdsearch.export.original import Original
from kdsearch.export.plain import PLAIN, source
from kdsearch.export.python import Python
from kdsearch.nets import FAMILIES
from kdsearch.spaces import list_spaces, load_space

SPACES = [name for name in list_spaces() if load_space(name).family in PLAIN]


@dataclass
class Drawn:
    """A student of a space, with statistics and scales that leave nothing switched off."""

    spec: dict[str, Any]
    original: Original


def drawn(space: str, which: str, more: dict[str, Any]) -> Drawn:
    found = load_space(space)
    choices = found.space.choices()
    point = {
        "smallest": found.space.smallest(),
        "largest": found.space.largest(),
        "mixed": {n: values[i % len(values)] for i, (n, values) in enumerate(choices.items())},
    }[which] | more
    torch.manual_seed(0)
    net = FAMILIES[found.family].student(Architecture.of(point), 3, 5).eval()
    for parameter in net.parameters():
        if parameter.dim() == 1:
            nn.init.uniform_(parameter, 0.5, 1.5)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean)
    spec = {
        "family": found.family,
        "architecture": point,
        "channels": 3,
        "classes": ["a", 'b"', "c'", "é", "\n'\"\\"],
        "size": 16,
        "mean": [0.1, 0.2, 0.3],
        "std": [0.3, 0.2, 0.1],
    }
    pixels = torch.randint(0, 256, (3, 3, 16, 16), dtype=torch.uint8)
    return Drawn(spec, Original(net, spec, pixels))


@pytest.mark.parametrize("more", [{}, {"resolution": 8}], ids=["as-it-comes", "resized"])
@pytest.mark.parametrize("which", ["smallest", "mixed", "largest"])
@pytest.mark.parametrize("space", SPACES)
def test_computes_bit_for_bit_what_the_family_does(
    space: str, which: str, more: dict[str, Any], tmp_path: Path
) -> None:
    one = drawn(space, which, more)
    Python().write(one.original, tmp_path)
    call = Python().load(tmp_path)
    images = one.original.normalised(one.original.pixels).numpy()
    assert one.original.expected.std() > 0.01
    np.testing.assert_array_equal(call(images), one.original.expected)
    Python().guard(tmp_path, one.spec)


def test_every_family_is_written_out() -> None:
    assert set(PLAIN) == set(FAMILIES)


@pytest.mark.parametrize("space", SPACES)
def test_is_formatted_typed_and_clean(space: str, tmp_path: Path) -> None:
    pytest.importorskip("ruff", reason="ruff is of the extra dev")
    one = drawn(space, "mixed", {})
    Python().write(one.original, tmp_path)
    for words in (["format", "--check"], ["check", "--select", "E,F,I,UP,B,SIM,RET,C90"]):
        said = subprocess.run(
            [sys.executable, "-m", "ruff", *words, "--isolated", str(tmp_path / "student.py")],
            capture_output=True,
            text=True,
            check=False,
        )
        assert said.returncode == 0, said.stdout


ALONE = """
import importlib.abc, json, sys

class Barred(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("kdsearch", "ray", "optuna", "safetensors"):
            raise ImportError(f"{name} is not here")

sys.meta_path.insert(0, Barred())
import torch
pixels = torch.tensor(json.load(sys.stdin), dtype=torch.uint8)
import student
network = student.load()
one = network(student.normalise(pixels))
two = torch.export.load("model.pt2").module()(student.normalise(pixels))
json.dump([one.tolist(), two.tolist()], sys.stdout)
"""


def test_python_and_pt2_run_where_nothing_of_ours_can_be_imported(
    written_pt2: Path, original: Original, tmp_path: Path
) -> None:
    shutil.copytree(written_pt2, tmp_path, dirs_exist_ok=True)
    Python().write(original, tmp_path)
    said = subprocess.run(
        [sys.executable, "-c", ALONE],
        input=json.dumps(original.pixels[:5].tolist()),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "", "OMP_NUM_THREADS": "1"},
    )
    assert said.returncode == 0, said.stderr
    for logits in json.loads(said.stdout):
        np.testing.assert_allclose(logits, original.expected[:5], atol=1e-5)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"family": "module:mine:build"}, "module:mine:build"),
        (
            {"family": None, "origin": {"network": "torchvision:resnet18"}},
            "torchvision:resnet18",
        ),
    ],
)
def test_networks_of_others_are_refused_with_other_formats_named(
    spec: dict[str, Any], changed: dict[str, Any], named: str
) -> None:
    with pytest.raises(UserError, match=f"python: {named} .*safetensors, pt2 or onnx"):
        Python().check(spec | changed)


def test_other_weights_are_refused_by_the_file_itself(
    original: Original, tmp_path: Path
) -> None:
    Python().write(original, tmp_path)
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"!")
    with pytest.raises(ValueError, match="not the weights that this file was written for"):
        Python().load(tmp_path)


def test_a_changed_file_is_not_run_unasked(
    original: Original, spec: dict[str, Any], tmp_path: Path
) -> None:
    Python().write(original, tmp_path)
    path = tmp_path / "student.py"
    path.write_text(path.read_text() + "raise SystemExit(1)\n")
    with pytest.raises(
        ArtefactError, match=r"student\.py: not what this version .* --trust-code"
    ):
        Python().guard(tmp_path, spec)


def test_class_names_cannot_break_out_of_the_source() -> None:
    names = ['");import os;("', "\\", '"""', "\u202e", "\ud800"]
    spec = drawn("resnet-tiny", "smallest", {}).spec | {"classes": names}
    found: dict[str, Any] = {"__name__": "x", "__file__": "x"}
    exec(compile(source(spec, "0" * 64), "student.py", "exec"), found)
    assert found["CLASSES"] == tuple(names)


def forged(header: bytes, data: bytes = b"\0" * 8) -> bytes:
    return len(header).to_bytes(8, "little") + header + data


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "F32", "shape": [2], "data_offsets": [0, 80]},
        {"dtype": "F32", "shape": [2], "data_offsets": [-16, -8]},
        {"dtype": "F32", "shape": [200], "data_offsets": [0, 8]},
        {"dtype": "F32", "shape": [-2], "data_offsets": [8, 0]},
    ],
)
def test_the_reader_stays_within_the_file(entry: dict[str, Any], tmp_path: Path) -> None:
    import hashlib

    content = forged(json.dumps({"a": entry}).encode())
    (tmp_path / "w").write_bytes(content)
    found: dict[str, Any] = {"__name__": "x", "__file__": "x"}
    spec = drawn("resnet-tiny", "smallest", {}).spec
    exec(compile(source(spec, hashlib.sha256(content).hexdigest()), "s", "exec"), found)
    with pytest.raises(ValueError, match="'a' does not lie within the file"):
        found["read_weights"](tmp_path / "w")

"""The README's blocks: its Python runs, its YAML is a config, its commands are understood."""

import re
import shlex
from pathlib import Path

import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from kdsearch.arguments import parser
from kdsearch.config import read_config
from kdsearch.config.manifest import is_manifest, read_manifest

README = Path(__file__).parents[1] / "README.md"


def blocks(language: str) -> list[str]:
    text = README.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


@pytest.mark.slow
@pytest.mark.long
def test_the_python_block_runs(tmp_path, monkeypatch, capsys):
    code, _ = blocks("python")
    assert len(code.splitlines()) <= 15
    monkeypatch.chdir(tmp_path)
    exec(compile(code, str(README), "exec"), {})
    shown = capsys.readouterr().out
    assert "top1_agreement" in shown
    assert {p.name for p in (tmp_path / "runs/first/export").iterdir()} >= {
        "model.onnx",
        "model.safetensors",
        "card.json",
    }


def test_two_networks_and_a_loader_are_enough(capsys):
    """The second block, with somebody's own networks and digits."""
    _, code = blocks("python")
    assert len(code.splitlines()) <= 8
    digits = load_digits()
    images = torch.tensor(digits.images, dtype=torch.float32)[:400, None] / 8 - 1
    shown = TensorDataset(images, torch.tensor(digits.target)[:400])
    names = {
        "teacher": small(16),
        "student": small(4),
        "loader": DataLoader(shown, batch_size=100, shuffle=True),
        "test_loader": DataLoader(shown, batch_size=100),
    }
    exec(compile(code.replace("epochs=30", "epochs=2"), str(README), "exec"), names)
    assert 0 <= float(capsys.readouterr().out) <= 1
    assert type(names["network"]) is nn.Sequential and names["network"] is not names["student"]


def small(width):
    """A network of somebody's own for grey images of 8 px."""
    body = [nn.Conv2d(1, width, 3, 2, 1), nn.BatchNorm2d(width), nn.ReLU()]
    return nn.Sequential(*body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10))


def test_there_is_a_block_for_each_use_and_none_is_long():
    """Data, teacher, budget, targets, search, batch, student, supernet."""
    assert [len(b.splitlines()) <= 11 for b in blocks("yaml")] == [True] * 8


@pytest.mark.parametrize("number", range(8))
def test_the_yaml_blocks_are_configs_or_manifests(number, tmp_path):
    path = tmp_path / "many.yaml"
    path.write_text(blocks("yaml")[number], encoding="utf-8")
    if is_manifest(path):
        for name in ("run.yaml", "birds/wren/1.png", "birds/robin/1.png"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        assert len(read_manifest(path).cells) == 4
    else:
        assert read_config(path).seed == 0


@pytest.mark.parametrize(
    "command",
    [
        line
        for block in blocks("console")
        for line in block.splitlines()
        if line.startswith("kdsearch ")
    ]
    + re.findall(r"`(kdsearch [a-z]+ [^`]*)`", README.read_text(encoding="utf-8")),
)
def test_the_commands_are_understood(command):
    words = shlex.split(command.partition(" > ")[0], comments=True)[1:]
    assert parser().parse_args(words).verb


def test_what_the_readme_points_at_is_there():
    root = README.parent
    text = README.read_text(encoding="utf-8")
    linked = re.findall(r"\]\((?!http)([^)#]+)\)", text)
    scripts = re.findall(r"^(scripts/\w+)", "\n".join(blocks("console")), re.MULTILINE)
    assert scripts == ["scripts/quickstart", "scripts/test"]
    assert [
        p for p in [*linked, *scripts, "benchmarks/quickstart"] if not (root / p).exists()
    ] == []

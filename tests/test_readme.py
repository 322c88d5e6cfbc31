"""The README's blocks: its Python runs, its YAML is a config, its commands are understood."""

import re
import shlex
from pathlib import Path

import pytest

from kdsearch.cli import parser
from kdsearch.config import read_config

README = Path(__file__).parents[1] / "README.md"


def blocks(language: str) -> list[str]:
    text = README.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


@pytest.mark.slow
def test_the_python_block_runs(tmp_path, monkeypatch, capsys):
    (code,) = blocks("python")
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


def test_there_is_a_block_for_data_teacher_and_budget():
    assert [len(b.splitlines()) <= 10 for b in blocks("yaml")] == [True] * 3


@pytest.mark.parametrize("number", range(3))
def test_the_yaml_blocks_are_configs(number, tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text(blocks("yaml")[number], encoding="utf-8")
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
    words = shlex.split(command.partition(" > ")[0])[1:]
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

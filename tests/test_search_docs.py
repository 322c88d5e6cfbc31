"""docs/search.md, section Objectives: its table is ours, its blocks are understood."""

import re
import shlex
import sys
from pathlib import Path

import pytest
import torch
import yaml

from kdsearch.arguments import parser
from kdsearch.config import parse_config
from kdsearch.config.objectives import objectives_of
from kdsearch.core.objectives import KNOWN
from kdsearch.measure.scores import scores_of

DOCS = Path(__file__).parents[1] / "docs" / "search.md"


@pytest.fixture
def section() -> str:
    _, _, after = DOCS.read_text(encoding="utf-8").partition("\n## Objectives\n")
    return after.partition("\n## ")[0]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def test_the_table_is_that_of_the_package(section: str) -> None:
    told = {}
    for names, direction in re.findall(r"^\| (`.*?) \| (\w+) \|", section, re.MULTILINE):
        told |= dict.fromkeys(re.findall(r"`(\w+)`", names), direction)
    assert told == {name: one.direction for name, one in KNOWN.items()}


def test_the_configs_and_the_function_work(
    section: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (code,) = blocks(section, "python")
    (tmp_path / "my_scores.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    found = [parse_config(yaml.safe_load(text)) for text in blocks(section, "yaml")]
    default, own = (objectives_of(config.search.objectives) for config in found)
    assert [one.name for one in default] == ["accuracy", "latency_ms"]
    assert [one.name for one in own] == ["accuracy", "worst_class", "macs"]
    logits, labels = torch.eye(3)[[0, 1, 1, 1]], torch.tensor([0, 1, 1, 2])
    assert scores_of(own[1:2], logits, labels) == {"worst_class": 0.0}
    sys.modules.pop("my_scores")


def test_the_command_is_understood(section: str) -> None:
    (command,) = blocks(section, "console")
    asked = parser().parse_args(shlex.split(command)[1:])
    assert (asked.verb, len(asked.max), len(asked.min)) == ("query", 2, 1)

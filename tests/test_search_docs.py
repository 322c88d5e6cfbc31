"""docs/search.md: its tables are ours, its blocks are understood."""

import re
import shlex
import sys
from pathlib import Path

import pytest
import torch
import yaml

from kdsearch.arguments import parser
from kdsearch.config import parse_config
from kdsearch.config.latency import Latency
from kdsearch.config.objectives import objectives_of
from kdsearch.config.targets import targets_of
from kdsearch.core.objectives import KNOWN
from kdsearch.core.records import Architecture, Candidate, Recipe
from kdsearch.core.space import Space
from kdsearch.measure.scores import scores_of
from kdsearch.search.pool import Pool
from kdsearch.search.simpler import Halves, arms
from kdsearch.search.study.samplers import SAMPLERS

DOCS = Path(__file__).parents[1] / "docs" / "search.md"


def part(title: str) -> str:
    """A section, with the ones below it."""
    _, found, after = DOCS.read_text(encoding="utf-8").partition(f"\n## {title}\n")
    assert found
    return after.partition("\n## ")[0]


@pytest.fixture
def section() -> str:
    return part("Objectives")


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


@pytest.mark.parametrize(
    "title", ["How a search goes", "Start points, limits and going on", "Baselines"]
)
def test_what_is_told_of_searches_is_understood(title: str) -> None:
    text = part(title)
    for block in blocks(text, "yaml"):
        assert parse_config(yaml.safe_load(block)).search != parse_config({}).search
    for command in blocks(text, "console"):
        assert parser().parse_args(shlex.split(command)[1:]).run == "RUN"
    assert blocks(text, "yaml") or blocks(text, "console")


def test_every_sampler_and_every_baseline_is_told() -> None:
    def first_column(title: str) -> list[str]:
        return re.findall(r"^\| `([\w-]+)` \|", part(title), re.MULTILINE)

    assert set(first_column("How a search goes")) == set(SAMPLERS)
    knee = Candidate(Architecture.of({}), Recipe("soften"))
    pool = Pool(Space({}), {"soften": Space({}), "dist": Space({})})
    halves = Halves({"soften": Space({})}, knee, Space({}))
    assert first_column("Baselines") == [arm.name for arm in arms(pool, "tpe", halves)]


def test_the_configs_of_the_page_on_targets_are_understood() -> None:
    text = (DOCS.parent / "targets.md").read_text(encoding="utf-8")
    (block,) = blocks(text, "yaml")
    config = parse_config(yaml.safe_load(block))
    assert [one.title for one in targets_of(config)] == ["server", "edge"]
    keys = {key for row in re.findall(r"^\| (`.+?`) \|", text, re.M) for key in row.split(", ")}
    assert {key.strip("`") for key in keys} == set(Latency.model_fields) - {"name"}

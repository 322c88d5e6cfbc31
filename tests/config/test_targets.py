"""One target or several: what a config may say of them, and what costs are called on them."""

from pathlib import Path
from typing import Any

import pytest

from kdsearch.config import Config, parse_config, read_config, resolved_yaml
from kdsearch.config.latency import Latency
from kdsearch.config.manifest import read_manifest
from kdsearch.config.objectives import objectives_of
from kdsearch.config.targets import bounds_of, names_of, targets_of
from kdsearch.core.budget import Bound
from kdsearch.core.objectives import ours
from kdsearch.errors import ConfigError
from kdsearch.runtimes import RUNTIMES
from kdsearch.spaces.marked import read_text

TWO = [{"name": "server", "runtime": "eager"}, {"name": "edge", "threads": 2}]
YAML = """\
latency:
  - {name: server, runtime: eager, rounds: 4}
  - name: edge
    threads: 2
budget: {latency_ms.p95@edge: 60%}
search: {objectives: [accuracy, latency_ms@server, latency_ms@edge]}
"""


def read(text: str, folder: Path, *overrides: str) -> Config:
    path = folder / "run.yaml"
    path.write_text(text, encoding="utf-8")
    return read_config(path, overrides)


def refusal(text: str, folder: Path, *overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read(text, folder, *overrides)
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    return line.replace(f"{folder}/", "")


def test_one_target_is_called_by_what_it_is() -> None:
    config = parse_config({"latency": {"threads": 1}})
    assert targets_of(config) == (Latency(),)
    assert names_of(config) == ("onnxruntime, 1 thread, batch 1",)
    other = Latency(runtime="eager", precision="bf16", layout="channels_last", size=16)
    assert other.title == "eager, 1 thread, batch 1, bf16, channels last, 16 px"
    assert Latency(name="server").title == "server"


def test_an_empty_section_is_the_default_target() -> None:
    assert parse_config({"latency": None}) == parse_config({})


def test_several_targets_have_names_and_costs_of_their_own(tmp_path: Path) -> None:
    config = read(YAML, tmp_path)
    assert names_of(config) == ("server", "edge")
    names = [one.name for one in objectives_of(config.search.objectives)]
    assert names == ["accuracy", "latency_ms", "latency_ms@edge"]
    assert objectives_of(config.search.objectives)[2] == ours("latency_ms@edge")
    assert bounds_of(config) == (Bound("latency_p95_ms@edge", 0.6, True, True),)
    assert config.budget.model_dump(exclude_none=True) == {"latency_p95_ms@edge": "60%"}


def test_the_resolved_text_of_several_targets_reads_back(tmp_path: Path) -> None:
    config = read(YAML, tmp_path)
    assert parse_config(read_text(resolved_yaml(config), "resolved").content) == config


@pytest.mark.parametrize("name", RUNTIMES)
def test_a_target_has_any_runtime_of_the_table(name: str) -> None:
    assert targets_of(parse_config({"latency": {"runtime": name}}))[0].runtime == name


@pytest.mark.parametrize("key", ["latency.1.threads", "latency.edge.threads"])
def test_an_override_reaches_into_the_list(key: str, tmp_path: Path) -> None:
    config = read(YAML, tmp_path, f"{key}=3", "latency.0.rounds=7")
    assert [one.threads for one in targets_of(config)] == [1, 3]
    assert [one.rounds for one in targets_of(config)] == [7, 30]
    assert targets_of(config)[0].runtime == "eager"


def test_an_override_of_one_target_is_as_before(tmp_path: Path) -> None:
    config = read("latency: {runtime: eager}\n", tmp_path, "latency.rounds=4")
    assert targets_of(config) == (Latency(runtime="eager", rounds=4),)


def test_an_override_may_be_the_whole_list(tmp_path: Path) -> None:
    config = read("seed: 1\n", tmp_path, "latency=[{name: a}, {name: b, threads: 2}]")
    assert names_of(config) == ("a", "b")


def test_a_bound_is_overridden_under_its_dotted_name(tmp_path: Path) -> None:
    config = read("seed: 1\n", tmp_path, "budget.latency_ms.p99=5")
    assert config.budget.latency_p99_ms == 5


WRONG: list[tuple[str, str]] = [
    ("latency: []", "1:10: latency = []: must hold one target to 16"),
    ("latency: 5", "1:10: latency = 5: must be a section"),
    ("latency: [5]", "1:11: latency[0] = 5: must be a section"),
    ("latency: [{}]", "1:11: latency[0] = {}: 'name' is missing"),
    ("latency: [{name: a}, {name: A}]", "1:29: latency[1].name = 'A': named twice"),
    ("latency: {name: a@b}", "1:17: latency.name = 'a@b': must begin with a letter"),
    ("latency: [{name: a/b}]", "1:18: latency[0].name = 'a/b': must begin with a letter"),
    ("latency: [{name: a.b}]", "must begin with a letter"),
    ("latency: {name: 1}", "latency.name = 1: must be text"),
    (
        "latency: {runtime: onxruntime}",
        "1:20: latency.runtime = 'onxruntime': unknown; did you",
    ),
    ("latency: [{name: a, runtime: cpu}]", "1:30: latency[0].runtime = 'cpu': unknown"),
    ("latency: [{name: a, thread: 2}]", "1:21: latency[0].thread: unknown key; did you mean '"),
    ("latency: {precision: int8}", "latency.precision = 'int8': unknown"),
    ("latency: {within: 0}", "latency.within = 0: must be above 0"),
    ("latency: {within: 1.5}", "latency.within = 1.5: must be below 1"),
    ("latency: {size: 0}", "latency.size = 0: must be at least 1"),
    (
        "search: {objectives: [accuracy, latency_ms@edge]}",
        "no target 'edge'; there is one target alone, without a name",
    ),
    (
        "latency: [{name: server}, {name: edge}]\n"
        "search: {objectives: [accuracy, latency_ms@edgy]}",
        "2:33: search.objectives[1] = 'latency_ms@edgy': no target 'edgy'; did you mean 'edge",
    ),
    (
        "latency: [{name: server}, {name: edge}]\n"
        "search: {objectives: [accuracy, latency_mss@edge]}",
        "did you mean 'latency_ms@edge'?",
    ),
    (
        "latency: {name: server}\n"
        "search: {objectives: [accuracy, latency_ms, latency_ms@server]}",
        "latency_ms@server': named twice",
    ),
    (
        "latency: [{name: server}, {name: edge}]\nbudget: {latency_ms@other: 5}",
        "2:28: budget.latency_ms@other = 5: no target 'other'; allowed: edge, server",
    ),
    (
        "latency: {name: server}\nbudget: {latency_ms: 5, latency_ms@server: 6}",
        "budget.latency_ms@server = 6: means the same as latency_ms; give one of them",
    ),
    (
        "latency: [{name: server}, {name: edge}]\nbudget: {latency_ms@edge: fast}",
        "budget.latency_ms@edge = 'fast': must be a number above 0",
    ),
    ("budget: {accuracy: 0.9}", "1:10: budget.accuracy: unknown key"),
    (
        "budget: {latncy_ms: 5}",
        "1:10: budget.latncy_ms: unknown key; did you mean 'latency_ms'",
    ),
    ("rounds: 4", "1:1: rounds: unknown key; did you mean 'latency.rounds'?"),
]


@pytest.mark.parametrize(("text", "line"), WRONG)
def test_what_is_wrong_with_a_target_is_one_line(text: str, line: str, tmp_path: Path) -> None:
    assert line in refusal(text + "\n", tmp_path)


def test_an_override_that_misses_the_list_says_which_there_are(tmp_path: Path) -> None:
    line = refusal(YAML, tmp_path, "latency.rounds=4")
    assert line.endswith("latency is a list; say which of it: latency.server.rounds")
    assert "latency is a list" in refusal(YAML, tmp_path, "latency.7.rounds=4")
    unnamed = "latency: [{runtime: eager}]\n"
    assert "latency.0.rounds" in refusal(unnamed, tmp_path, "latency.rounds=4")


def cells(text: str, folder: Path) -> list[Config]:
    path = folder / "many.yaml"
    path.write_text(text, encoding="utf-8")
    return [cell.config for cell in read_manifest(path).cells]


def test_a_batch_sets_a_key_of_one_target(tmp_path: Path) -> None:
    base: dict[str, Any] = {"latency": TWO}
    text = f"base: {base}\ncells:\n- {{name: more, set: {{latency.edge.threads: 3}}}}\n"
    (config,) = cells(text, tmp_path)
    assert [one.threads for one in targets_of(config)] == [1, 3]


def test_a_device_of_a_batch_takes_the_place_of_a_list(tmp_path: Path) -> None:
    text = f"base: {{latency: {TWO}}}\ncross:\n  devices: [onnxruntime, {{threads: 2}}]\n"
    assert [targets_of(c) for c in cells(text, tmp_path)] == [
        (Latency(),),
        (Latency(threads=2),),
    ]

"""search.objectives: names and mappings as objectives, and each mistake in one line."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kdsearch.config import parse_config, read_config, resolved_yaml
from kdsearch.config.models import Budget
from kdsearch.config.objectives import objectives_of
from kdsearch.core.budget import COSTS
from kdsearch.core.objectives import KNOWN, Objective
from kdsearch.errors import ConfigError
from kdsearch.spaces.marked import read_text

OWN = "module:own_objectives:worst_class"


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    code = "def worst_class(logits, labels):\n    return 0.5\n\n\nmacs = worst_class\n"
    (tmp_path / "own_objectives.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("own_objectives", None)


def objectives(*chosen: object) -> tuple[Objective, ...]:
    config = parse_config({"search": {"objectives": chosen}})
    again = parse_config(read_text(resolved_yaml(config), "written").content)
    assert again == config
    return objectives_of(config.search.objectives)


def test_the_default_is_accuracy_and_latency() -> None:
    found = objectives_of(parse_config({}).search.objectives)
    assert found == (KNOWN["accuracy"], KNOWN["latency_ms"])


def test_names_in_their_order() -> None:
    names = ("macro_f1", "calibration_error", "latency_p95_ms", "energy_uj")
    assert objectives(*names) == tuple(KNOWN[name] for name in names)


def test_directions_may_be_spelt_out() -> None:
    chosen = [
        {"name": "accuracy", "direction": "maximize"},
        {"name": "macs", "direction": "minimize"},
    ]
    assert objectives(*chosen) == (KNOWN["accuracy"], KNOWN["macs"])


def test_a_function_of_ones_own() -> None:
    _, first, second, _ = objectives(
        "accuracy",
        {"function": OWN, "direction": "maximize"},
        {"function": OWN, "direction": "minimize", "name": "gap", "worst": 2.5},
        "params",
    )
    assert first == Objective("worst_class", True, True, OWN, None, OWN)
    assert second == Objective("gap", False, True, OWN, 2.5, OWN)


MISTAKES = [
    ("[accuracy]", "search.objectives = ['accuracy']: must be two to six, for example"),
    ("[accuracy, macs, accuracy]", "search.objectives[2] = 'accuracy': named twice; remove"),
    ("[accuracy, macro_f1]", "search.objectives = ['accuracy', 'macro_f1']: must have a cost"),
    ("[macs, accuracy]", "search.objectives = ['macs', 'accuracy']: must begin with a score"),
    ("[accuracy, lateny_ms]", "search.objectives[1] = 'lateny_ms': unknown; did you mean "),
    ("accuracy", "search.objectives = 'accuracy': must be a list"),
    (
        f"[{OWN}, macs]",
        f"search.objectives[0] = '{OWN}': needs a direction; write {{function: {OWN}, dir",
    ),
    (
        "[{name: accuracy, direction: minimize}, macs]",
        "search.objectives[0].direction = 'minimize': must be maximize for accuracy",
    ),
    (
        "[{name: acuracy, direction: maximize}, macs]",
        "search.objectives[0].name = 'acuracy': unknown; did you mean 'accuracy'?",
    ),
    ("[{name: accuracy}, macs]", "search.objectives[0] = {name: 'accuracy'}: 'direction' is m"),
    (
        "[{name: accuracy, direction: up}, macs]",
        "search.objectives[0].direction = 'up': unknown; allowed: maximize, minimize",
    ),
    (
        "[{name: accuracy, directon: maximize}, macs]",
        "search.objectives[0].directon: unknown key; did you mean 'direction'?",
    ),
    (
        "[{direction: maximize}, macs]",
        "search.objectives[0] = {direction: 'maximize'}: needs a",
    ),
    (
        "[{name: accuracy, direction: maximize, worst: 0.5}, macs]",
        "search.objectives[0].worst = 0.5: is for a function of your own; remove this",
    ),
    (
        "[{function: own_objectives.worst_class, direction: maximize}, macs]",
        "search.objectives[0].function = 'own_objectives.worst_class': must have the form ",
    ),
    (
        "[{function: module:own_objectives:worst_clas, direction: maximize}, macs]",
        "function = 'module:own_objectives:worst_clas': no function 'worst_clas' in module ",
    ),
    (
        "[{function: module:nowhere:f, direction: maximize}, macs]",
        "search.objectives[0].function = 'module:nowhere:f': cannot import 'nowhere'",
    ),
    (
        "[{function: module:own_objectives:macs, direction: maximize}, params]",
        "'macs' is an objective of ours; give it another name",
    ),
    (
        f"[{{function: {OWN}, direction: maximize, name: stage1.width}}, macs]",
        "search.objectives[0].name = 'stage1.width': must be a word of letters, digits and _",
    ),
    (
        f"[{{function: {OWN}, direction: maximize, name: reason}}, macs]",
        "search.objectives[0].name = 'reason': 'reason' is a column of every table of trials",
    ),
    (
        f"[{{function: {OWN}, direction: maximize}}, "
        f"{{function: {OWN}, direction: minimize}}, macs]",
        "named twice; remove one",
    ),
    (
        "[accuracy, balanced_accuracy, macro_f1, calibration_error, macs, params, energy_uj]",
        "must be two to six, for example [accuracy, latency_ms]",
    ),
]


@pytest.mark.parametrize(("written", "line"), MISTAKES)
def test_a_mistake_is_one_line_with_its_place(tmp_path: Path, written: str, line: str) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(f"search:\n  objectives: {written}\n")
    with pytest.raises(ConfigError) as caught:
        read_config(path)
    said = str(caught.value).replace(f"{tmp_path}/", "")
    assert said.startswith("run.yaml:2:")
    assert line in said and len(said.splitlines()) == 1


def test_any_cost_may_be_bound() -> None:
    assert set(Budget.model_fields) == set(COSTS)
    config = parse_config({"budget": {"energy_uj": "50%", "latency_p95_ms": 2.5}})
    assert config.budget.model_dump(exclude_none=True) == {
        "energy_uj": "50%",
        "latency_p95_ms": 2.5,
    }

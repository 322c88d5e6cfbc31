"""What a front that a run wrote may hold: whatever a reader subscripts is there."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from kdsearch.core.front_shape import is_front
from kdsearch.files import read_json
from kdsearch.rundir import RunDir

Front = dict[str, Any]
GUESS = {"p50": 1.0, "interval90": [0.9, 1.1]}
SAID = {
    "networks": 40,
    "within_10_percent": 0.9,
    "coverage": 0.9,
    "tau": None,
    "ceiling": {"within_10_percent": 1.0, "tau": 0.9},
    "bias_on_front": {"ratio": 1.01, "ci95": None, "students": 2, "within_10_percent": 1.0},
}


@pytest.fixture
def front(finished: RunDir) -> Front:
    """With all that may stand in it."""
    content: Front = copy.deepcopy(read_json(finished.front))
    content["predictor"] = {"edge": copy.deepcopy(SAID)}
    for point in content["points"]:
        point["predicted_latency"] = {"edge": dict(GUESS)}
    assert is_front(content)
    return content


@pytest.mark.parametrize("key", ["trial", "costs", "scores"])
def test_what_readers_need_of_a_student(front: Front, key: str) -> None:
    del front["points"][-1][key]
    assert not is_front(front)


@pytest.mark.parametrize("key", ["smallest", "largest"])
def test_what_readers_need_of_the_space(front: Front, key: str) -> None:
    del front["space"][key]
    assert not is_front(front)


def put(front: Front, *keys: Any, value: Any) -> None:
    for key in keys[:-1]:
        front = front[key]
    front[keys[-1]] = value


@pytest.mark.parametrize(
    "spoil",
    [
        lambda front: put(front, "predictor", value=[]),
        lambda front: put(front, "predictor", "edge", value=None),
        lambda front: put(front, "predictor", "edge", "coverage", value="0.9"),
        lambda front: put(front, "predictor", "edge", "ceiling", value={}),
        lambda front: put(front, "predictor", "edge", "bias_on_front", value={}),
        lambda front: put(front, "predictor", "edge", "bias_on_front", "ci95", value=[1]),
        lambda front: put(front, "points", 0, "predicted_latency", value={"edge": {}}),
        lambda front: put(front, "points", 0, "predicted_latency", "edge", "p50", value=None),
        lambda front: put(front, "targets", value=["edge"]),
        lambda front: put(front, "targets", "edge", value="server"),
        lambda front: put(front, "targets", "edge", value={"size": []}),
    ],
)
def test_odd_content(front: Front, spoil: Callable[[Front], None]) -> None:
    spoil(front)
    assert not is_front(front)


def test_what_somebody_else_gathered_has_less() -> None:
    assert is_front({"points": [{"id": "s001"}]})
    assert not is_front({"schema": 1, "points": [{"id": "s001"}]})

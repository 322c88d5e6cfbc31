"""A profile's file, whoever wrote it: read as it was written, else refused in one line."""

import copy
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kdsearch.errors import PredictorError
from kdsearch.measure.latency import Latency, Target
from kdsearch.measure.predict import Sample
from kdsearch.measure.profile import Profile, Row, read_profile

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**400), 10**400),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["module:os:system", "../../x", "\x1b[31m\n", [], {}, [[]], [1.0, None]]),
)


@pytest.fixture(scope="module")
def content(samples: Callable[..., list[Sample]]) -> dict[str, Any]:
    rows = []
    for one in samples(24):
        timed = Latency(one.ms, 1.1 * one.ms, (0.9 * one.ms, 1.1 * one.ms), 5)
        rows.append(Row(one.architecture, one.footprint, timed, again=timed))
    names = rows[0].architecture.as_dict()
    axes = {n: sorted({row.architecture[n] for row in rows}, key=float) for n in names}
    device = {"device": "a board", "cores": 4}
    profile = Profile(
        Target("edge", "onnxruntime"), device, "resnet", axes, (3, 8, 8), (*rows,)
    )
    found: dict[str, Any] = json.loads(json.dumps(profile.as_dict()))
    return found


def test_it_is_read_as_it_was_written(content: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text(json.dumps(content))
    profile = read_profile(path, "phone")
    assert profile.target == Target("phone", "onnxruntime")
    profile.write(path)
    again = {**content, "target": {**content["target"], "name": "phone"}}
    assert json.loads(path.read_text()) == again


def first(content: dict[str, Any]) -> dict[str, Any]:
    return content["networks"][0]  # type: ignore[no-any-return]


WRONG: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "schema": (lambda c: c.update(schema=True), "schema: has parts"),
    "missing": (lambda c: c.pop("device"), "device: missing"),
    "size": (lambda c: c.update(shape=[3, 0, 8]), "shape: has parts"),
    "thread": (lambda c: c["target"].update(threads=0), "target: has parts"),
    "stranger": (lambda c: c["target"].update(colour="red"), "colour"),
    "negative": (lambda c: first(c)["latency"].update(p50_ms=-1.0), "networks: has parts"),
    "nan": (lambda c: first(c)["latency"].update(p95_ms=float("nan")), "networks: has parts"),
    "forever": (lambda c: first(c)["latency"].update(p50_ms=1e9), "networks: has parts"),
    "bytes": (lambda c: first(c)["footprint"].update(more=1e300), "networks: has parts"),
    "elsewhere": (
        lambda c: first(c)["architecture"].update(more=1),
        r"networks\[0\]: not of",
    ),
    "twice": (lambda c: c["networks"].append(first(c)), r"networks\[24\]: .* there twice"),
    "device": (lambda c: c["device"].update(cores=float("inf")), "device: has parts"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_named(content: dict[str, Any], tmp_path: Path, name: str) -> None:
    change, words = WRONG[name]
    changed = copy.deepcopy(content)
    change(changed)
    path = tmp_path / "p.json"
    path.write_text(json.dumps(changed))
    with pytest.raises(PredictorError, match=words) as refused:
        read_profile(path)
    assert str(path) in str(refused.value) and "\n" not in str(refused.value)


def damaged(content: Any, seed: int, value: Any, *, goes: bool) -> Any:
    """Another value, or none, at some place that `seed` picks."""
    whole, rng = copy.deepcopy(content), random.Random(seed)
    node = whole
    while True:
        key = rng.choice(list(node) if isinstance(node, dict) else range(len(node)))
        below = node[key]
        if not isinstance(below, dict | list) or not below or rng.random() < 0.2:
            break
        node = below
    if goes:
        del node[key]
    else:
        node[key] = value
    return whole


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 10**6), value=VALUES, goes=st.booleans())
def test_whatever_stands_in_it_is_refused_in_one_line_or_harmless(
    content: dict[str, Any], tmp_path: Path, seed: int, value: Any, goes: bool
) -> None:
    path = tmp_path / "p.json"
    try:
        path.write_text(json.dumps(damaged(content, seed, value, goes=goes)))
    except (ValueError, UnicodeError):
        return  # what Python writes no JSON of
    try:
        profile = read_profile(path)
        profile.predictors["p50_ms"]
        assert profile.identity and profile.as_dict()
    except PredictorError as error:
        assert "\n" not in str(error) and "\x1b" not in str(error)

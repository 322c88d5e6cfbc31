"""What comes from another device: accepted as it was bundled, else one line names the key."""

import copy
import json
import math
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdsearch.errors import PredictorError
from kdsearch.measure.brought import brought

NAMES = [f"a{n:09x}" for n in range(12)]
MACS = {name: 1e6 * (1 + n) for n, name in enumerate(NAMES)}
MANIFEST: dict[str, Any] = {
    "bundle": "0123456789abcdef",
    "batch_size": 1,
    "anchors": {"smallest": NAMES[0], "middle": NAMES[5], "largest": NAMES[11]},
    "groups": [NAMES[:6], NAMES[6:], NAMES[::3]],
    "sha256": {name: f"{n:064x}" for n, name in enumerate(NAMES)},
}


def result() -> dict[str, Any]:
    """A millisecond for each million MACs; the second group ran at half speed."""
    rng = random.Random(0)
    groups = []
    for slower, names in zip((1, 2, 1), MANIFEST["groups"], strict=True):
        visits = {
            name: [
                [MACS[name] / 1e6 * slower * rng.uniform(0.99, 1.01) for _ in range(2)]
                for _ in range(5)
            ]
            for name in {*names, *MANIFEST["anchors"].values()}
        }
        groups.append({"load": 0.5, "visits": visits})
    return {
        "schema": 1,
        "bundle": MANIFEST["bundle"],
        "sha256": dict(MANIFEST["sha256"]),
        "device": {
            "device": "Raspberry Pi 5 Model B",
            "cores": 4,
            "system": "Linux aarch64",
            "runtime": "onnxruntime",
            "runtime_version": "1.22.0",
            "provider": "CPUExecutionProvider",
            "python": "3.11.2",
        },
        "threads": 1,
        "batch_size": 1,
        "groups": groups,
        "seconds": 12.5,
    }


def test_latencies_are_at_the_speed_of_the_first_group() -> None:
    found = brought(json.loads(json.dumps(result())), MANIFEST, MACS)
    assert {*found.first} == {*NAMES}
    assert {*found.again} == {*NAMES[::3]}
    for name, timed in (*found.first.items(), *found.again.items()):
        assert timed.p50_ms == pytest.approx(MACS[name] / 1e6, rel=0.03)
        assert timed.ci95[0] <= timed.p50_ms <= timed.ci95[1]
        assert not timed.predicted
    assert found.device["device"] == "Raspberry Pi 5 Model B"


def of(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Puts a value at 'a.b.0.c'."""

    def change(content: dict[str, Any]) -> None:
        *way, last = [int(part) if part.isdigit() else part for part in path.split("|")]
        for part in way:
            content = content[part]
        content[last] = value

    return change


FIRST = f"groups|0|visits|{NAMES[0]}"
WRONG = [
    (of("schema", 2), "schema: 2, but the bundle has 1"),
    (of("schema", True), "schema: True"),
    (of("bundle", "f" * 16), "bundle: 'ffff"),
    (of("batch_size", 2), "batch_size: 2"),
    (of("threads", 0), "threads: 0; must be a whole number from 1"),
    (of("threads", "1"), "threads: '1'"),
    (of("seconds", -1), "seconds: -1; must be a number from 0"),
    (of("seconds", math.inf), "seconds: inf"),
    (of("extra", 1), "'extra': unknown key"),
    (of("device", []), "device: must be an object"),
    (of("device|device", "x\n\x1b[31m"), "device.device: must be a line"),
    (of("device|device", "x" * 201), "device.device: must be a line"),
    (of("device|cores", 1.5), "device.cores: 1.5"),
    (of("device|shell", "rm"), "device.'shell': unknown key"),
    (of("groups", []), "groups: must be the 3 groups"),
    (of("groups|0", 1), r"groups\[0\]: must be an object"),
    (of("groups|1|load", "high"), r"groups\[1\].load: 'high'"),
    (of("groups|0|visits|more", []), r"groups\[0\].visits.'more': unknown key"),
    (of("groups|0|visits", []), r"groups\[0\].visits: must be an object"),
    (of(FIRST, [[1.0]] * 2), r"groups\[0\].visits: must hold as many rounds"),
    (of(FIRST, [[1.0]] * 4 + [[1.0, 1.0]]), r"groups\[0\].visits.\w+: must hold as many calls"),
    (of(FIRST, [[1.0]] * 4 + ["ab"]), "must hold as many calls"),
    (of(FIRST, [[1.0, math.nan]] * 5), r"\[0\]: nan; must be a number"),
    (of(FIRST, [[1.0, 0.0]] * 5), r"\[0\]: must be above 0"),
    (of(FIRST, [[1.0, True]] * 5), "True; must be a number"),
    (of(FIRST, [[1.0, 10**400]] * 5), "10000.*; must be a number"),
    (of(FIRST, [[1.0, 1e9]] * 5), r"1000000000.0; must be a number from 0 to 600000"),
    (of(f"sha256|{NAMES[3]}", "0" * 64), f"sha256.{NAMES[3]}: another network"),
    (of("sha256|more", "0" * 64), "sha256: other networks"),
]


@pytest.mark.parametrize(("change", "words"), WRONG)
def test_a_wrong_value_is_named(change: Any, words: str) -> None:
    content = copy.deepcopy(result())
    change(content)
    with pytest.raises(PredictorError, match=words) as caught:
        brought(content, MANIFEST, MACS)
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("key", result())
def test_a_missing_key_is_named(key: str) -> None:
    content = result()
    del content[key]
    with pytest.raises(PredictorError, match=f"{key}: missing"):
        brought(content, MANIFEST, MACS)


def test_latencies_that_no_network_has_are_refused() -> None:
    """Large networks faster than small ones, or one out of all proportion."""
    content, mirrored = result(), {name: MACS[NAMES[-1]] / macs for name, macs in MACS.items()}
    for group in content["groups"]:
        group["visits"] = {n: [[mirrored[n]] * 2] * 5 for n in group["visits"]}
    with pytest.raises(PredictorError, match="tau -1.00, below 0.2; not plausible"):
        brought(content, MANIFEST, MACS)
    content = result()
    content["groups"][0]["visits"][NAMES[2]] = [[500_000.0] * 2] * 5
    with pytest.raises(PredictorError, match=f"network {NAMES[2]}: .* 1000 times the largest"):
        brought(content, MANIFEST, MACS)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*result()]), inner, max_size=8)
    ),
    max_leaves=10,
)


@settings(max_examples=40)
@given(JSON)
def test_whatever_comes_is_refused_in_one_line(content: Any) -> None:
    with pytest.raises(PredictorError) as caught:
        brought(content, MANIFEST, MACS)
    assert "\n" not in str(caught.value)


@settings(max_examples=40)
@given(st.sampled_from([*result()]), JSON)
def test_whatever_stands_at_a_key_is_refused_or_harmless(key: str, value: Any) -> None:
    content = {**result(), key: value}
    try:
        brought(content, MANIFEST, MACS)
    except PredictorError as error:
        assert "\n" not in str(error)
    else:
        assert key in ("seconds", "threads")

"""The one file of a bundle: how it times, and what it tells of a device."""

import ast
import random
from pathlib import Path

import pytest

from kdsearch.measure import on_device
from kdsearch.measure.brought import DEVICE, checked_device
from kdsearch.measure.on_device import fingerprint, interleaved, per_visit, positive, timed

SOURCE = Path(on_device.__file__).read_text(encoding="utf-8")


def test_it_needs_nothing_but_onnxruntime_and_numpy() -> None:
    names = set()
    for node in ast.walk(ast.parse(SOURCE, feature_version=(3, 8))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(str(node.module).partition(".")[0])
    standard = {
        "argparse",
        "hashlib",
        "json",
        "math",
        "os",
        "platform",
        "random",
        "sys",
        "time",
    }
    assert names - standard == {"__future__", "pathlib", "typing", "numpy", "onnxruntime"}
    assert len(SOURCE.splitlines()) <= 250


def test_every_round_visits_every_network_in_an_order_of_its_own() -> None:
    calls: list[str] = []
    networks = {name: (lambda n=name: calls.append(n)) for name in "abcdefgh"}
    visits = interleaved(networks, 4, random.Random(0), None)
    assert {name: len(rounds) for name, rounds in visits.items()} == dict.fromkeys(
        "abcdefgh", 4
    )
    for rounds in visits.values():
        assert {len(one) for one in rounds} == {len(rounds[0])}
    warm = 8 * on_device.WARM_UPS
    orders = ["".join(dict.fromkeys(part)) for part in in_parts(calls[warm:], 4)]
    assert {"".join(sorted(one)) for one in orders} == {"abcdefgh"}
    assert len(set(orders)) > 1


def in_parts(calls: list[str], rounds: int) -> list[list[str]]:
    size = len(calls) // rounds
    return [calls[n * size : (n + 1) * size] for n in range(rounds)]


def test_a_short_time_leaves_the_fewest_rounds() -> None:
    visits = interleaved({"a": lambda: None}, 100, random.Random(0), 0.0)
    assert len(visits["a"]) == on_device.FEWEST_ROUNDS


def test_fast_networks_are_called_more_often() -> None:
    assert per_visit([0.1, 0.2]) == 10
    assert per_visit([50.0]) == on_device.FEWEST_CALLS
    assert per_visit([0.0]) == on_device.MOST_CALLS


def test_calls_take_milliseconds_above_zero() -> None:
    assert all(0 < ms < 1000 for ms in timed(lambda: sum(range(1000)), 3))


def test_a_device_tells_what_is_checked_of_it() -> None:
    told = fingerprint(on_device.CPU)
    assert told.keys() == DEVICE.keys()
    assert checked_device(told) == told


def test_who_computes_stands_in_the_devices_name() -> None:
    assert fingerprint("Other")["device"] == f"Other on {fingerprint(on_device.CPU)['device']}"


@pytest.mark.parametrize("text", ["2", "1001", "x"])
def test_rounds_that_would_not_be_taken_back_are_refused(text: str) -> None:
    assert [on_device.rounds_of("3"), on_device.rounds_of("1000")] == [3, 1000]
    with pytest.raises(Exception, match="3 to 1000"):
        on_device.rounds_of(text)


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "x", ""])
def test_counts_are_whole_and_above_zero(text: str) -> None:
    with pytest.raises(Exception, match="whole number"):
        positive(text)

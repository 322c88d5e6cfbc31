"""Checks what `measure.py` of a bundle wrote on another device, and makes latencies of it.

The file comes from elsewhere: nothing of it is executed, every key has its type and bounds, the
networks are those of the bundle, and the numbers have to be such as networks take.
"""

import re
from collections.abc import Mapping, Sequence, Set
from typing import Any, NamedTuple

import numpy as np

from kdsearch.core.seeds import derive
from kdsearch.errors import PredictorError
from kdsearch.measure import on_device
from kdsearch.measure.latency import Latency, scaled
from kdsearch.measure.profile_shape import LONGEST_MS
from kdsearch.measure.ranking import tau

SCHEMA = 1
MOST_BYTES = 64_000_000
FEWEST_ROUNDS, MOST_ROUNDS = on_device.ROUNDS
MOST_CALLS = on_device.MOST_CALLS
MOST_TEXT = 200
SLOWEST = 1_000.0
"""No network takes so many times as long as the one that computes most."""
RANKS = 0.2
"""Kendall's tau with the multiply-accumulates that any device's latencies have."""
FEWEST_RANKED = 10
"""Networks below which a tau says nothing."""
KEYS = frozenset(
    ("schema", "bundle", "sha256", "device", "threads", "batch_size", "groups", "seconds")
)
DEVICE: Mapping[str, type] = {
    "device": str,
    "cores": int,
    "system": str,
    "runtime": str,
    "runtime_version": str,
    "provider": str,
    "python": str,
}

Visits = Mapping[str, list[list[float]]]


class Brought(NamedTuple):
    """What a result says, checked."""

    device: dict[str, Any]
    threads: int
    first: dict[str, Latency]
    """By architecture id."""
    again: dict[str, Latency]
    """Of those that were timed in two groups, the second."""


def brought(content: Any, manifest: Mapping[str, Any], macs: Mapping[str, float]) -> Brought:
    """
    Args:
        content: of the result's file.
        manifest: of the bundle that it names.
        macs: by architecture id.

    Raises:
        PredictorError: names the key that will not do.
    """
    require(isinstance(content, dict), "", "must be one JSON object, as measure.py writes it")
    same_keys(content, KEYS, "")
    exactly(content, "schema", SCHEMA)
    exactly(content, "bundle", manifest["bundle"])
    exactly(content, "batch_size", manifest["batch_size"])
    exactly(content, "sha256", manifest["sha256"])
    whole(content["threads"], "threads", 1, 4096)
    number(content["seconds"], "seconds", 0.0, 1e9)
    device = checked_device(content["device"])
    groups = content["groups"]
    wanted = manifest["groups"]
    require(
        isinstance(groups, list) and len(groups) == len(wanted),
        "groups",
        f"must be the {len(wanted)} groups of the bundle",
    )
    fixed = list(manifest["anchors"].values())
    visits = [
        checked_group(group, {*fixed, *names}, f"groups[{n}]")
        for n, (group, names) in enumerate(zip(groups, wanted, strict=True))
    ]
    first, again = latencies(visits, wanted, manifest["anchors"])
    plausible(first, macs)
    return Brought(device, content["threads"], first, again)


def latencies(
    visits: Sequence[Visits], wanted: Sequence[Sequence[str]], fixed: Mapping[str, str]
) -> tuple[dict[str, Latency], dict[str, Latency]]:
    """At the speed that the device had in the first group, undisturbed."""
    first: dict[str, Latency] = {}
    again: dict[str, Latency] = {}
    reference = None
    for number_, (group, names) in enumerate(zip(visits, wanted, strict=True)):
        of_anchors = {name: group[network] for name, network in fixed.items()}
        networks = {name: group[name] for name in names}
        found = scaled(networks, of_anchors, reference, derive(0, "brought", number_))
        reference = found.reference
        for name, timed in found.latencies.items():
            (again if name in first else first)[name] = timed
    return first, again


def checked_device(device: Any) -> dict[str, Any]:
    require(isinstance(device, dict), "device", "must be an object")
    same_keys(device, DEVICE.keys(), "device.")
    for name, kind in DEVICE.items():
        if kind is int:
            whole(device[name], f"device.{name}", 1, 65_536)
        else:
            text(device[name], f"device.{name}")
    return dict(device)


def checked_group(group: Any, names: set[str], key: str) -> Visits:
    require(isinstance(group, dict), key, "must be an object")
    same_keys(group, {"load", "visits"}, f"{key}.")
    if group["load"] is not None:
        number(group["load"], f"{key}.load", 0.0, 1e6)
    visits: dict[str, Any] = group["visits"]
    require(isinstance(visits, dict), f"{key}.visits", "must be an object")
    same_keys(visits, names, f"{key}.visits.")
    counts = {len(v) if isinstance(v, list) else -1 for v in visits.values()}
    require(
        len(counts) == 1 and FEWEST_ROUNDS <= min(counts) <= MOST_ROUNDS,
        f"{key}.visits",
        f"must hold as many rounds of each network, {FEWEST_ROUNDS} to {MOST_ROUNDS}",
    )
    for name, rounds in visits.items():
        checked_rounds(rounds, f"{key}.visits.{name}")
    return visits


def checked_rounds(rounds: Sequence[Any], key: str) -> None:
    sizes = {len(calls) if isinstance(calls, list) else 0 for calls in rounds}
    require(
        len(sizes) == 1 and 1 <= min(sizes) <= MOST_CALLS,
        key,
        f"must hold as many calls in each round, 1 to {MOST_CALLS}",
    )
    for n, calls in enumerate(rounds):
        for call in calls:
            number(call, f"{key}[{n}]", 0.0, LONGEST_MS)
            require(call > 0, f"{key}[{n}]", "must be above 0 milliseconds")


def plausible(first: Mapping[str, Latency], macs: Mapping[str, float]) -> None:
    """Whether they are such as networks take: none far beyond the largest, and larger networks
    slower in the main."""
    largest = max(first, key=lambda name: macs[name])
    most = first[largest].p50_ms * SLOWEST
    for name, timed in first.items():
        require(
            timed.p50_ms <= most,
            f"network {name}",
            f"{timed.p50_ms:.4g} ms, {SLOWEST:g} times the largest network's: not plausible",
        )
    if len(first) >= FEWEST_RANKED:
        names = list(first)
        ours = np.array([first[name].p50_ms for name in names])
        agree = tau(ours, np.array([macs[name] for name in names]))
        require(
            agree >= RANKS,
            "groups",
            f"latencies rank networks as their multiply-accumulates do with tau {agree:.2f}, "
            f"below {RANKS}; not plausible, measure again on an idle device",
        )


def require(holds: bool, key: str, words: str) -> None:
    if not holds:
        raise PredictorError(f"{key}: {words}" if key else words)


def same_keys(content: Mapping[Any, Any], wanted: Set[str], at: str) -> None:
    for name in sorted(wanted - content.keys()):
        raise PredictorError(f"{at}{name}: missing")
    for name in sorted(map(str, content.keys() - wanted)):
        raise PredictorError(f"{at}{shown(name)}: unknown key")


def exactly(content: Mapping[str, Any], key: str, wanted: Any) -> None:
    """One of equal value that is of another type will not do: 1.0 and true are no 1."""
    found = content[key]
    if type(found) is type(wanted) and found == wanted:
        return
    if isinstance(wanted, dict) and isinstance(found, dict):
        for name, value in wanted.items():
            require(found.get(name) == value, f"{key}.{name}", "another network than bundled")
        raise PredictorError(f"{key}: other networks than bundled")
    raise PredictorError(f"{key}: {shown(found)}, but the bundle has {shown(wanted)}")


def whole(value: Any, key: str, low: int, high: int) -> None:
    right = type(value) is int and low <= value <= high
    require(right, key, f"{shown(value)}; must be a whole number from {low} to {high}")


def number(value: Any, key: str, low: float, high: float) -> None:
    right = type(value) in (int, float) and low <= value <= high  # so NaN is none
    require(right, key, f"{shown(value)}; must be a number from {low:g} to {high:g}")


def text(value: Any, key: str) -> None:
    right = isinstance(value, str) and 0 < len(value) <= MOST_TEXT and value.isprintable()
    require(right, key, f"must be a line of 1 to {MOST_TEXT} printable letters")


def shown(value: Any) -> str:
    """Short, and without what a terminal would obey."""
    return re.sub(r"[^\x20-\x7e]", "?", repr(value))[:60]

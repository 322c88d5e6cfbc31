"""Times the networks of this folder on this device and writes what it measured into one JSON.

Needs Python 3.8 or newer, onnxruntime and numpy, and nothing else: no kdsearch, no PyTorch, no
network. Run `python measure.py`, and take result.json to where the bundle came from:
`kdsearch profile CONFIG --import result.json`.

Networks are timed in groups. Every round of a group visits each of its networks and a few fixed
anchors once, in a fresh random order; what slows the device down for a while slows the anchors
down, too, and is divided out later. All calls are written down, so that intervals can be had.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import platform
import random
import sys
import time
from pathlib import Path
from typing import Any, Callable, List  # noqa: UP035  as Python 3.8 has them

import numpy as np
import onnxruntime

SCHEMA = 1
WARM_UPS = 5
VISIT_SECONDS = 0.001
FEWEST_CALLS, MOST_CALLS = 2, 50
FEWEST_ROUNDS = 5
ROUNDS = (3, 1_000)
"""What a result is taken back with."""
CPU = "CPUExecutionProvider"

Visits = List[List[float]]  # noqa: UP006
"""Milliseconds of one network's timed calls: per round, per call."""


def main() -> int:
    options = arguments()
    folder = Path(__file__).resolve().parent
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    threads = options.threads or manifest["threads"]
    rounds = options.rounds or manifest["rounds"]
    available = onnxruntime.get_available_providers()
    if options.provider not in available:
        print(f"provider {options.provider}: here are {', '.join(available)}", file=sys.stderr)
        return 2
    hashes = {name: hash_of(folder / path) for name, path in manifest["files"].items()}
    altered = [name for name, found in hashes.items() if found != manifest["sha256"][name]]
    if altered:
        print(f"not as they were bundled: {', '.join(altered)}; unpack again", file=sys.stderr)
        return 2
    result = {
        "schema": SCHEMA,
        "bundle": manifest["bundle"],
        "sha256": hashes,
        "device": fingerprint(options.provider),
        "threads": threads,
        "batch_size": manifest["batch_size"],
        "groups": [],
    }
    groups, share = manifest["groups"], None
    if options.seconds is not None:
        share = options.seconds / len(groups)
    started = time.perf_counter()
    for number, names in enumerate(groups, 1):
        say(f"group {number} of {len(groups)}: {len(names)} networks")
        calls = {
            name: prepared(folder / manifest["files"][name], manifest, threads, options)
            for name in dict.fromkeys([*manifest["anchors"].values(), *names])
        }
        visits = interleaved(calls, rounds, random.Random(number), share)
        result["groups"].append({"load": load(), "visits": visits})
    result["seconds"] = round(time.perf_counter() - started, 3)
    written(Path(options.out), result)
    say(f"{options.out}: {len(hashes)} networks after {result['seconds']:.0f} s; take it back")
    return 0


def arguments() -> argparse.Namespace:
    made = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    made.add_argument("--threads", type=positive, help="of one call; default: the manifest's")
    made.add_argument("--rounds", type=rounds_of, help="of each group; default: the manifest's")
    made.add_argument(
        "--seconds",
        type=float,
        help=f"about how long it may take: fewer rounds then, at least {FEWEST_ROUNDS}",
    )
    made.add_argument("--out", default="result.json", help="default: %(default)s")
    made.add_argument(
        "--provider", default=CPU, help="of onnxruntime, that runs them; default: %(default)s"
    )
    return made.parse_args()


def positive(text: str) -> int:
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"'{text}': must be a whole number from 1 up")


def rounds_of(text: str) -> int:
    least, most = ROUNDS
    if text.isdecimal() and least <= int(text) <= most:
        return int(text)
    raise argparse.ArgumentTypeError(f"'{text}': must be a whole number, {least} to {most}")


def prepared(
    path: Path, manifest: dict[str, Any], threads: int, options: argparse.Namespace
) -> Callable[[], object]:
    """A call of the network on one batch of random images."""
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    settings.inter_op_num_threads = 1
    settings.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    settings.log_severity_level = 3
    # Threads that wait by spinning slow down whatever else this device runs.
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
    settings.add_session_config_entry("session.inter_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(
        str(path), settings, providers=list(dict.fromkeys([options.provider, CPU]))
    )
    shape = (manifest["batch_size"], *manifest["input"])
    images = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    return lambda: session.run(["logits"], {"images": images})


def interleaved(
    calls: dict[str, Callable[[], object]],
    rounds: int,
    rng: random.Random,
    share: float | None,
) -> dict[str, Visits]:
    """By network the milliseconds of every timed call.

    `share` is how many seconds the group may take, as far as FEWEST_ROUNDS allow.
    """
    counts = {name: per_visit(timed(call, WARM_UPS)) for name, call in calls.items()}
    visits: dict[str, Visits] = {name: [] for name in calls}
    order, begun = list(calls), time.perf_counter()
    for done in range(1, rounds + 1):
        rng.shuffle(order)
        for name in order:
            calls[name]()  # untimed: the others have emptied the caches
            visits[name].append(timed(calls[name], counts[name]))
        if done % 5 == 0 or done == rounds:
            say(f"  round {done} of {rounds}")
        spent = time.perf_counter() - begun
        if share is not None and spent >= share and done >= min(FEWEST_ROUNDS, rounds):
            say(f"  stopped after {done} rounds: {spent:.0f} s")
            break
    return visits


def timed(call: Callable[[], object], times: int) -> list[float]:
    """Milliseconds of each call, to four digits."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        found.append(float("%.4g" % ((time.perf_counter() - start) * 1e3)))
    return found


def per_visit(warm_up: list[float]) -> int:
    """Enough calls to fill a visit: many of a network that takes microseconds."""
    fastest = max(min(warm_up) / 1e3, 1e-9)
    return min(MOST_CALLS, max(FEWEST_CALLS, math.ceil(VISIT_SECONDS / fastest)))


def fingerprint(provider: str) -> dict[str, Any]:
    return {
        "device": processor() if provider == CPU else f"{provider} on {processor()}",
        "cores": os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.machine()}",
        "runtime": "onnxruntime",
        "runtime_version": onnxruntime.__version__,
        "provider": provider,
        "python": platform.python_version(),
    }


def processor() -> str:
    """The device's own name for its processor, where it tells one."""
    model = Path("/proc/device-tree/model")
    cpuinfo = Path("/proc/cpuinfo")
    try:
        if model.exists():
            return model.read_text(encoding="utf-8", errors="replace").strip("\0 \n")
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    known = [*names, platform.processor(), platform.machine(), "unknown"]
    return next(name for name in known if name)


def load() -> float | None:
    """Processes that were ready to run in the last minute, on average; None elsewhere."""
    try:
        return round(os.getloadavg()[0], 2)
    except (AttributeError, OSError):
        return None


def hash_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def written(path: Path, content: dict[str, Any]) -> None:
    """Whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(content), encoding="utf-8")
    partial.replace(path)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

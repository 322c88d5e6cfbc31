"""Whether latencies rank networks alike when they are measured again: `python
benchmarks/latency/repeatability.py [--networks 80] [--runtimes onnxruntime eager]`. Writes
results/RUNTIME.json; `python benchmarks/latency/tables.py` prints the tables.

Two protocols take turns, twice each: one network after the other, and ours, with the same
number of timed calls of each network. Kendall's tau is between a protocol's two repeats.
"""

import argparse
import json
import os
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import scipy.stats
import torch
from torch import Tensor, nn

from kdsearch.core.distinct import distinguishable
from kdsearch.core.progress import Silent
from kdsearch.core.records import Architecture
from kdsearch.measure.book import anchors
from kdsearch.measure.fingerprint import fingerprint
from kdsearch.measure.latency import Latency, Target, measure, stopwatches
from kdsearch.measure.load import Watch
from kdsearch.measure.rounds import calls_per_visit, garbage_collection_off
from kdsearch.measure.warm_up import warmed_up
from kdsearch.nets.kinds import family_of
from kdsearch.nets.logits import Logits
from kdsearch.spaces import load_space

HERE = Path(__file__).parent
SPACE, SIDE, CLASSES = "mobile-s32", 32, 10
ROUNDS: Mapping[str, int] = {"onnxruntime": 120, "eager": 50}
"""About a minute for eighty networks; eager takes five times as long for a call."""
RESAMPLES = 2000
Networks = Mapping[str, nn.Module]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=80)
    parser.add_argument("--rounds", type=int, help="of ours; default: by the runtime")
    parser.add_argument("--runtimes", nargs="+", default=tuple(ROUNDS))
    parser.add_argument("--results", type=Path, default=HERE / "results")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.results.mkdir(exist_ok=True)
    for name in arguments.runtimes:
        rounds = arguments.rounds or ROUNDS.get(name, 50)
        content = compared(Target(name, name), arguments.networks, rounds)
        path = arguments.results / f"{name}.json"
        path.write_text(json.dumps(content, indent=1) + "\n")
        print(name, json.dumps(content["summary"]), flush=True)


def compared(target: Target, count: int, rounds: int) -> dict[str, Any]:
    """Both protocols, in turns; every repeat takes the networks in an order of its own."""
    drawn, fixed = population(count)
    example = torch.randn(target.batch_size, 3, SIDE, SIDE, generator=torch.manual_seed(0))
    watch = Watch()
    begun, start = watch.begin(target.threads, Silent()), time.perf_counter()
    naive, ours, reference = [], [], None
    for repeat in range(2):
        naive.append(one_by_one(drawn, target, example, rounds, repeat))
        measured = measure(
            drawn,
            fixed,
            target,
            example,
            rounds=rounds,
            seed=repeat,
            reference=reference,
            progress=Silent(),
        )
        ours.append(measured.latencies)
        reference = measured.reference
    load = watch.end(begun, target.threads)
    facts = {
        "fingerprint": fingerprint(target),
        "load": load.cores,
        "load_average": os.getloadavg()[1],
        "seconds": time.perf_counter() - start,
        "space": SPACE,
        "rounds": rounds,
    }
    rows = [
        {
            "id": name,
            "one_by_one": [repeat[name] for repeat in naive],
            "ours": [asdict(repeat[name]) for repeat in ours],
        }
        for name in drawn
    ]
    return {**facts, "summary": summary(naive, ours), "networks": rows}


def population(count: int) -> tuple[Networks, Networks]:
    """Distinct students of the space, drawn evenly, and its anchors."""
    space, rng = load_space(SPACE), random.Random(0)
    architectures: dict[str, Architecture] = {}
    while len(architectures) < count:
        one = Architecture.of(space.space.draw(rng))
        architectures[one.id] = one
    torch.manual_seed(0)

    def built(named: Mapping[str, Architecture]) -> Networks:
        family = family_of(space.family)
        return {n: Logits(family.student(a, 3, CLASSES)).eval() for n, a in named.items()}

    return built(architectures), built(anchors(space.space))


def one_by_one(
    networks: Networks, target: Target, example: Tensor, rounds: int, seed: int
) -> dict[str, float]:
    """Milliseconds of the median call: each network is warmed up and timed, then the next."""
    order = list(networks)
    random.Random(seed).shuffle(order)
    modules = {("network", name): networks[name] for name in order}
    found = {}
    watches = stopwatches(modules, target, example, time.perf_counter)
    with garbage_collection_off():
        for (_, name), stopwatch in watches.items():
            calls = rounds * calls_per_visit(warmed_up(stopwatch))
            found[name] = 1e3 * median(stopwatch() for _ in range(calls))
    return found


def summary(
    naive: Sequence[Mapping[str, float]], ours: Sequence[Mapping[str, Latency]]
) -> dict[str, Any]:
    """Taus with 95 % intervals, bootstrapped over networks; both protocols' on the same."""
    names = list(naive[0])
    pairs = {
        "one_by_one": np.array([[repeat[n] for n in names] for repeat in naive]),
        "ours": np.array([[repeat[n].p50_ms for n in names] for repeat in ours]),
    }
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, len(names), (RESAMPLES, len(names)))
    spread = {p: np.array([tau(pair[:, d]) for d in drawn]) for p, pair in pairs.items()}
    gain = spread["ours"] - spread["one_by_one"]
    first, second = ours
    overlap = [not distinguishable(first[n].ci95, second[n].ci95) for n in names]
    return {
        **{p: {"tau": tau(pair), "ci95": ci95(spread[p])} for p, pair in pairs.items()},
        "gain": {"tau": tau(pairs["ours"]) - tau(pairs["one_by_one"]), "ci95": ci95(gain)},
        "relative_difference": {
            p: float(np.median(np.abs(np.log(pair[1] / pair[0])))) for p, pair in pairs.items()
        },
        "overlapping_intervals": float(np.mean(overlap)),
        "half_width": float(np.median([half_width(one) for r in ours for one in r.values()])),
        "drift": [next(iter(repeat.values())).drift for repeat in ours],
        "milliseconds": [float(pairs["ours"].min()), float(pairs["ours"].max())],
    }


def half_width(one: Latency) -> float:
    return (one.ci95[1] - one.ci95[0]) / 2 / one.p50_ms


def tau(pair: Any) -> float:
    return float(scipy.stats.kendalltau(*pair).statistic)


def ci95(values: Any) -> list[float]:
    return [float(end) for end in np.percentile(values, (2.5, 97.5))]


if __name__ == "__main__":
    main()

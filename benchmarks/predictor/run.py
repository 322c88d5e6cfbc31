"""How well latencies are predicted from 120 measured networks, beside measuring them again.

`python benchmarks/predictor/run.py` measures networks of a space in each runtime: 120 to learn
from, and 40 others twice. What it prints stands in README.md; the measurements are kept, and
`--read FILE` prints the table of them again.
"""

import argparse
import json
import platform
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from kdsearch.core.progress import Silent
from kdsearch.core.records import Architecture
from kdsearch.core.spread import spread
from kdsearch.measure.book import CostBook, anchors
from kdsearch.measure.fingerprint import fingerprint
from kdsearch.measure.footprint import footprint_of
from kdsearch.measure.latency import Latency, Target
from kdsearch.measure.predict import Sample, fitted
from kdsearch.measure.predict_quality import Agreement, Quality, held_out
from kdsearch.measure.regressions import REGRESSIONS
from kdsearch.pipeline.costs import Students
from kdsearch.spaces import load_space

GROUP = 20
CLASSES, CHANNELS = 10, 3
HEADERS = (
    "runtime",
    "fit",
    "within ±10 %",
    "measured again",
    "share of the ceiling",
    "tau",
    "tau, again",
    "median error",
    "90 % intervals cover",
    "± typical",
)
RESULTS = Path(__file__).parent / "results"


def main() -> None:
    options = arguments()
    path = options.read or options.out or RESULTS / f"{options.space}.json"
    if options.read is None:
        content = measured(options)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content) + "\n", encoding="utf-8")
    print("\n".join(report(json.loads(path.read_text(encoding="utf-8")))))


def arguments() -> argparse.Namespace:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--space", default="mobile-s32", help="default: %(default)s")
    made.add_argument("--pixels", type=int, default=32, help="default: %(default)s")
    made.add_argument("--runtimes", default="onnxruntime,eager", help="default: %(default)s")
    made.add_argument("--train", type=int, default=120, help="default: %(default)s")
    made.add_argument("--held-out", type=int, default=40, help="default: %(default)s")
    made.add_argument("--rounds", type=int, default=30, help="default: %(default)s")
    made.add_argument("--out", type=Path, help="default: results/SPACE.json")
    made.add_argument("--read", type=Path, help="prints what an earlier run measured")
    return made.parse_args()


def measured(options: argparse.Namespace) -> dict[str, Any]:
    torch.set_num_threads(1)
    space = load_space(options.space)
    students = Students(space.family, CHANNELS, CLASSES)
    shape = (CHANNELS, options.pixels, options.pixels)
    train = [Architecture.of(p) for p in spread(space.space, options.train, 0)]
    known = {a.id for a in train}
    more = spread(space.space, 3 * options.held_out + 2, 1)
    others = [a for p in more[2:] if (a := Architecture.of(p)).id not in known]
    others = others[: options.held_out]
    prints = {a.id: footprint_of(students, a, shape) for a in (*train, *others)}
    targets = {}
    for name in options.runtimes.split(","):
        target = Target(name, name)
        with tempfile.TemporaryDirectory() as folder:
            book = CostBook(
                Path(folder), students, shape, target, anchors(space.space), options.rounds,
                Silent(),
            )  # fmt: skip
            started = time.perf_counter()
            first = timed(book, [*train, *others], f"{name}, first")
            again = timed(book, others, f"{name}, again")
            seconds = time.perf_counter() - started
        targets[name] = {
            "device": fingerprint(target),
            "seconds": seconds,
            "first": {key: asdict(one) for key, one in first.items()},
            "again": {key: asdict(one) for key, one in again.items()},
        }
    return {
        "space": options.space,
        "pixels": options.pixels,
        "rounds": options.rounds,
        "system": platform.platform(),
        "train": [{"architecture": a.as_dict(), "footprint": prints[a.id]} for a in train],
        "held_out": [{"architecture": a.as_dict(), "footprint": prints[a.id]} for a in others],
        "targets": targets,
    }


def timed(
    book: CostBook, architectures: Sequence[Architecture], what: str
) -> dict[str, Latency]:
    """In groups of mixed sizes, each in rounds of its own."""
    order = list(architectures)
    random.Random(what).shuffle(order)
    found: dict[str, Latency] = {}
    for at in range(0, len(order), GROUP):
        found |= book.measured(order[at : at + GROUP])
        print(f"{what}: {len(found)} of {len(order)}", file=sys.stderr, flush=True)
    return found


def report(content: Mapping[str, Any]) -> Iterator[str]:
    learnt, others = len(content["train"]), len(content["held_out"])
    counts = f"{learnt} networks learnt from, {others} held out"
    yield f"{content['space']}, {content['pixels']} px, {content['rounds']} rounds: {counts}"
    for name, target in content["targets"].items():
        device = target["device"]
        busy = sum(bool(one["busy"]) for one in target["first"].values())
        yield (
            f"- {name} {device['runtime_version']}: {device['device']}, {device['cores']} "
            f"cores, 1 thread, batch 1; {target['seconds']:.0f} s; {busy} latencies of a busy "
            "machine"
        )
    yield ""
    yield line(HEADERS)
    yield line(["---"] * len(HEADERS))
    for name, target in content["targets"].items():
        for fit in (None, *REGRESSIONS):
            yield line(row(name, fit, judged(content, target, fit)))


def judged(content: Mapping[str, Any], target: Mapping[str, Any], fit: str | None) -> Quality:
    """
    Args:
        fit: one of REGRESSIONS; None: the one that cross-validation chooses.
    """
    train, others = (
        [
            Sample(a, row["footprint"], target["first"][a.id]["p50_ms"])
            for row in content[part]
            for a in [Architecture.of(row["architecture"])]
        ]
        for part in ("train", "held_out")
    )
    again = {key: one["p50_ms"] for key, one in target["again"].items()}
    return held_out(fitted(train, fit), others, again)


def row(name: str, fit: str | None, found: Quality) -> list[str]:
    ours, most = found.predicted, found.ceiling
    assert most is not None, "held-out networks are measured twice"
    reached = ours.within_10_percent / most.within_10_percent if most.within_10_percent else 0.0
    return [
        name,
        f"**{found.regression}** (chosen)" if fit is None else fit,
        share(ours),
        share(most),
        f"{reached:.2f}",
        rank(ours),
        rank(most),
        f"{ours.median_error:.1%}",
        f"{found.coverage:.0%} ({found.coverage_ci95[0]:.0%} to {found.coverage_ci95[1]:.0%})",
        f"{found.half_width:.0%}",
    ]


def share(one: Agreement) -> str:
    low, high = one.within_10_percent_ci95
    return f"{one.within_10_percent:.0%} ({low:.0%} to {high:.0%})"


def rank(one: Agreement) -> str:
    if one.tau is None or one.tau_ci95 is None:
        return "–"
    return f"{one.tau:.2f} ({one.tau_ci95[0]:.2f} to {one.tau_ci95[1]:.2f})"


def line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()

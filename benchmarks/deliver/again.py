"""Delivered networks timed once more, in a fresh process: `again.py RUN STUDENT …`; JSON.

Milliseconds at the anchors' reference speed, as budgets are meant, and as the clock showed.
Where the anchors' speeds differ from one to another the machine is not the one that it was,
and no time can be told at that speed: then all is timed again, some minutes long, and what
counts is the measurement whose anchors differ least. Nothing but anchors is looked at for that.
"""

import json
import random
import sys
import time
from pathlib import Path

import numpy as np
import torch

from kdsearch.config import read_config
from kdsearch.core.progress import Silent
from kdsearch.files import read_json
from kdsearch.measure.book import REFERENCE
from kdsearch.measure.latency import Measured, scaled, split, stopwatches
from kdsearch.measure.rounds import interleaved
from kdsearch.nets.logits import Logits
from kdsearch.pipeline.baselines import ground_of
from kdsearch.pipeline.context import open_context
from kdsearch.pipeline.students import network
from kdsearch.rundir import RunDir

ROUNDS = 40
EVEN = 0.015
MOST_SECONDS = 300.0


def main(folder: str, *students: str) -> None:
    torch.set_num_threads(1)
    run = RunDir(Path(folder))
    book = ground_of(open_context(read_config(run.config), run.root, Silent())).books.first
    modules = {("network", s): Logits(network(run, s)).eval() for s in students}
    modules |= {("anchor", n): Logits(book.build(a)).eval() for n, a in book.anchors.items()}
    example = torch.randn(book.target.batch_size, *book.shape)
    reference, began = read_json(book.folder / REFERENCE), time.perf_counter()
    tries: list[tuple[Measured, dict[str, float]]] = []
    while not tries or (
        min(one.uneven for one, _ in tries) > EVEN
        and time.perf_counter() - began < MOST_SECONDS
    ):
        watches = stopwatches(modules, book.target, example, time.perf_counter)
        timed = interleaved(watches, ROUNDS, random.Random(len(tries)), lambda _: False)
        networks, anchors = split(timed)
        raw = {
            n: float(np.median([np.median(v) for v in visits]))
            for n, visits in networks.items()
        }
        tries.append((scaled(networks, anchors, reference, 1), raw))
    measured, raw = min(tries, key=lambda one: one[0].uneven)
    found = {
        name: {"again_ms": one.p50_ms, "again_ci95": one.ci95, "raw_ms": raw[name]}
        for name, one in measured.latencies.items()
    }
    told = {"uneven": [one.uneven for one, _ in tries], "used": measured.uneven}
    print(json.dumps({"students": found, "anchors": told}))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Delivered networks timed once more, in a fresh process: `again.py RUN STUDENT …`; JSON.

Milliseconds at the anchors' reference speed, as budgets are meant, and as the clock showed.
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
from kdsearch.measure.latency import scaled, split, stopwatches
from kdsearch.measure.rounds import interleaved
from kdsearch.nets.logits import Logits
from kdsearch.pipeline.baselines import ground_of
from kdsearch.pipeline.context import open_context
from kdsearch.pipeline.students import network
from kdsearch.rundir import RunDir

ROUNDS = 40


def main(folder: str, *students: str) -> None:
    torch.set_num_threads(1)
    run = RunDir(Path(folder))
    book = ground_of(open_context(read_config(run.config), run.root, Silent())).books.first
    modules = {("network", s): Logits(network(run, s)).eval() for s in students}
    modules |= {("anchor", n): Logits(book.build(a)).eval() for n, a in book.anchors.items()}
    example = torch.randn(book.target.batch_size, *book.shape)
    watches = stopwatches(modules, book.target, example, time.perf_counter)
    timed = interleaved(watches, ROUNDS, random.Random(1), lambda _: False)
    networks, anchors = split(timed)
    measured = scaled(networks, anchors, read_json(book.folder / REFERENCE), 1)
    found = {
        name: {
            "again_ms": measured.latencies[name].p50_ms,
            "again_ci95": measured.latencies[name].ci95,
            "raw_ms": float(np.median([np.median(visit) for visit in visits])),
        }
        for name, visits in networks.items()
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])

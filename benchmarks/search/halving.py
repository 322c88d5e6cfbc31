"""Successive halving on the replay table: epochs to the hypervolume of training everyone.

`python benchmarks/search/halving.py [--seeds 20] [--workers 2]` writes results/halving.json
beside this file; tables.py prints it. Who trains every trial to the end sets the mark; with the
same seed and sampler the others go on until they are there. Lower rungs do not count towards
the hypervolume, rung 0 costs nothing here, and but for the last row stops nobody.
"""

import argparse
import json
import multiprocessing
import tempfile
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from curves import Growth, candidates, reached
from replayed import HERE as HOME
from replayed import OBJECTIVES, Replay, Table

from kdsearch.search.terms import Terms

HERE = Path(__file__).parent
TRIALS = 100
"""Of the search that stops nobody."""
PATIENCE = 3
"""The others give up after so many times its epochs, and are counted as if there by then."""
SAMPLERS = ("random", "tpe")
MEMORY = Path("/dev/shm")
EVERYONE = Terms(
    trials=TRIALS,
    batch=8,
    fractions=(1.0, 1.0),  # the last is the finalists', here and below
    keep_layers=10**9,
    objectives=OBJECTIVES,
    bounds=(),
    seed=0,
)
LADDER = replace(EVERYONE, fractions=(1 / 9, 1 / 3, 1.0, 1.0), reduction=3.0)
ARMS: Mapping[str, Terms] = {
    "three rungs": LADDER,
    "three rungs, audits": replace(LADDER, audits=True),
    "three rungs, audits, screen": replace(LADDER, audits=True, keep_layers=2),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--only", nargs="+", default=SAMPLERS, metavar="SAMPLER")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--table", type=Path, default=HOME, help="folder of another table")
    parser.add_argument("--results", type=Path, default=HERE / "results" / "halving.json")
    asked = parser.parse_args()
    table = Table.read(folder=asked.table)
    earlier = json.loads(asked.results.read_text()) if asked.results.exists() else {"rows": []}
    rows = [row for row in earlier["rows"] if row["sampler"] not in asked.only]
    for sampler in asked.only:
        one = partial(compared, asked.table, sampler)
        with ProcessPoolExecutor(
            asked.workers, multiprocessing.get_context("spawn")
        ) as workers:
            found = list(workers.map(one, range(asked.seeds)))
        rows.append({"sampler": sampler, "seeds": found})
        print(sampler, [each["arms"]["three rungs"]["epochs"] for each in found], flush=True)
    content = {
        "exhaustive": table.exhaustive,
        "trials": TRIALS,
        "epochs": TRIALS * table.facts["epochs"],
        "patience": PATIENCE,
        "arms": list(ARMS),
        "rows": rows,
    }
    asked.results.parent.mkdir(exist_ok=True)
    asked.results.write_text(json.dumps(content, indent=1) + "\n")


def compared(folder: Path, sampler: str, seed: int) -> dict[str, Any]:
    table = Table.read(folder=folder)
    mark = grown(table, sampler, replace(EVERYONE, seed=seed))
    aim = mark.look()
    first = reached(mark.steps, aim)
    assert first is not None
    arms = {}
    for name, terms in ARMS.items():
        many = replace(terms, seed=seed, trials=candidates(table))
        found = grown(table, sampler, many, aim, PATIENCE * mark.replay.epochs)
        there = reached(found.steps, aim)
        arms[name] = {
            "epochs": None if there is None else there.epochs,
            "trials": found.replay.trained,
            "volume": at_epochs(found, mark.replay.epochs),
        }
    return {
        "seed": seed,
        "volume": aim,
        "epochs": mark.replay.epochs,
        "first": first.epochs,
        "arms": arms,
    }


def grown(
    table: Table, sampler: str, terms: Terms, aim: float = 9e9, epochs: float = 9e9
) -> Growth:
    """A search, until its hypervolume or its epochs are as many."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.exists() else None) as place:
        replay = Replay(table, Path(place), terms, sampler, stores=False)
        found = Growth(replay)
        replay.run(until=lambda: found.look() >= aim or replay.epochs >= epochs)
    return found


def at_epochs(found: Growth, epochs: float) -> float:
    return max((s.volume for s in found.steps if s.epochs <= epochs), default=0.0)


if __name__ == "__main__":
    main()

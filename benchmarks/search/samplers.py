"""Samplers on the replay table: trials to 90, 95 and 99 % of the exhaustive hypervolume.

`python benchmarks/search/samplers.py [--seeds 20] [--workers 2]` writes results/samplers.json
beside this file; tables.py prints it. All start from the smallest and the largest student, with
the same recipes at one seed. Every trial is trained to the end: neither rung 0 nor lower rungs
stop any, so that trials count the same for everyone. Random search goes on until it is there.
"""

import argparse
import json
import multiprocessing
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from curves import Growth, at, candidates, reached
from replayed import HERE as HOME
from replayed import OBJECTIVES, Replay, Table

from kdsearch.search.terms import Terms

HERE = Path(__file__).parent
LEVELS = (0.9, 0.95, 0.99)
SAMPLERS = ("random", "nsga2", "tpe", "gp")
SHOWN = (25, 50, 100)
"""Trials after which the hypervolume is told."""
TRIALS, FEWEST = {"gp": 150}, {"gp": SHOWN[1]}
"""Of those that take long to ask: at most, and where a search that has 99 % may end."""
MEMORY = Path("/dev/shm")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--trials", type=int, default=400)
    parser.add_argument("--batch", type=int, nargs="+", default=[8])
    parser.add_argument("--only", nargs="+", default=SAMPLERS, metavar="SAMPLER")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--results", type=Path, default=HERE / "results" / "samplers.json")
    parser.add_argument("--table", type=Path, default=HOME, help="folder of another table")
    asked = parser.parse_args()
    table = Table.read(folder=asked.table)
    earlier = json.loads(asked.results.read_text()) if asked.results.exists() else {"rows": []}
    rows = list(earlier["rows"])
    for batch in asked.batch:
        for sampler in asked.only:
            trials = TRIALS.get(sampler, asked.trials)
            trials = candidates(table) if sampler == "random" else trials
            terms = terms_of(trials, batch)
            one = partial(searched, asked.table, sampler, terms)
            spawning = multiprocessing.get_context("spawn")
            row = {"sampler": sampler, "batch": batch, "trials": trials, "seeds": []}
            rows = [r for r in rows if (r["sampler"], r["batch"]) != (sampler, batch)] + [row]
            with ProcessPoolExecutor(asked.workers, spawning) as pool:
                for found in pool.map(one, range(asked.seeds)):
                    row["seeds"].append(found)
                    write(asked.results, table, rows)
            print(sampler, batch, [seed["reached"]["0.99"] for seed in row["seeds"]])


def write(results: Path, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    content = {
        "exhaustive": table.exhaustive,
        "candidates": candidates(table),
        "levels": LEVELS,
        "shown": SHOWN,
        "rows": rows,
    }
    results.parent.mkdir(exist_ok=True)
    results.write_text(json.dumps(content, indent=1) + "\n")


def terms_of(trials: int, batch: int) -> Terms:
    return Terms(
        trials=trials,
        batch=batch,
        fractions=(1.0, 1.0),
        keep_layers=10**9,
        objectives=OBJECTIVES,
        bounds=(),
        seed=0,
    )


def searched(folder: Path, sampler: str, terms: Terms, seed: int) -> dict[str, Any]:
    """One search, until it has 99 % and was shown what is to be told of it."""
    table = Table.read(folder=folder)
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.exists() else None) as place:
        replay = Replay(table, Path(place), replace(terms, seed=seed), sampler, stores=False)
        grown = Growth(replay)
        enough = LEVELS[-1] * table.exhaustive
        fewest = FEWEST.get(sampler, SHOWN[-1])
        replay.run(until=lambda: grown.look() >= enough and len(replay.log) >= fewest)
        tried = len(replay.log)
    when = {str(v): reached(grown.steps, v * table.exhaustive) for v in LEVELS}
    return {
        "seed": seed,
        "reached": {level: step and step.trials for level, step in when.items()},
        "volume": {n: at(grown.steps, n) if n <= tried else None for n in SHOWN},
    }


if __name__ == "__main__":
    main()

"""The replay table: every student of a small space taught by every recipe, for real (ours).

`nice -n 19 python benchmarks/search/table.py [--out runs/search-table] [--workers 2]`
goes on where it was stopped. Each training climbs the ladder as a trial of a search does, on a
seed of its own; what the rungs score, what they take and what the students cost goes into two
files that ship with the tests. --partial packs what is there by now, for a look at it.
"""

import argparse
import multiprocessing
import platform
import random
import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch

import kdsearch
from kdsearch.config import Config, read_config
from kdsearch.core.progress import Silent
from kdsearch.core.records import Architecture, Job, Recipe
from kdsearch.core.seeds import derive
from kdsearch.core.space import Space
from kdsearch.data.stored import read_info
from kdsearch.files import read_json, write_json
from kdsearch.measure.fingerprint import fingerprint
from kdsearch.pipeline.bank import distill_plan
from kdsearch.pipeline.context import Context, open_context
from kdsearch.pipeline.costs import open_book, target_of
from kdsearch.pipeline.jobs import order_of
from kdsearch.pipeline.run import run
from kdsearch.pipeline.search import pool_of
from kdsearch.rundir import RunDir
from kdsearch.search.jobs import inherited_job
from kdsearch.search.pool import Pool
from kdsearch.search.rung import Rungs
from kdsearch.search.setting import Setting

HERE = Path(__file__).parent
RESULTS = HERE.parents[1] / "tests" / "search" / "replay"
NAME = "digits"
NONE = -1
"""Stands for the score of a training that came to nothing."""
EVERY = 60.0
"""Seconds between two lines of progress."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One full distillation, scored at every rung."""

    architecture: Architecture
    number: int
    """Of the recipe."""
    recipe: Recipe

    def path(self, out: Path) -> Path:
        return out / "trainings" / f"{self.architecture.id}-{self.number}.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/search-table"))
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--only", choices=("trainings", "costs", "pack"), nargs="+")
    parser.add_argument("--partial", action="store_true", help="pack what is there")
    asked = parser.parse_args()
    steps = asked.only or ["trainings", "costs", "pack"]
    config = read_config(
        HERE / "table.yaml", [f"space={HERE / 'space.yaml'}", f"store={asked.out / 'store'}"]
    )
    run(config, asked.out / "run", Silent(), until="supernet")
    context = open_context(config, asked.out / "run", Silent())
    units = units_of(context)
    if "trainings" in steps:
        train(setting_of(context), units, asked.out, asked.workers)
    if "costs" in steps:
        costs_of(context)
    if "pack" in steps:
        pack(context, units, asked.out, asked.results, partial=asked.partial)


def units_of(context: Context) -> list[Unit]:
    """In one random order, so that a part of them is an even sample."""
    recipes = list(recipes_of(pool_of(context)))
    students = students_of(context)
    units = [Unit(a, n, r) for a, (n, r) in product(students, enumerate(recipes))]
    random.Random(derive(0, "table")).shuffle(units)
    return units


def students_of(context: Context) -> list[Architecture]:
    return [Architecture.of(point) for point in context.space.space.points()]


def recipes_of(pool: Pool) -> Iterator[Recipe]:
    """All of a pool whose axes are choices."""
    for method, knobs in pool.methods.items():
        for own, training in product(
            Space(knobs.axes).points(), pool.training_of(method).points()
        ):
            yield Recipe.of(method, own, training)


def setting_of(context: Context) -> Setting:
    facts = context.run.facts()
    return Setting(
        data=facts["data"],
        supernet=facts["supernet"],
        teacher=facts["teacher"],
        family=context.space.family,
        space=context.space.space,
        plan=distill_plan(context, read_info(Path(facts["data"]))),
        fractions=tuple(context.config.search.rungs),
        device=context.device,
        threads=context.config.threads,
        store=str(context.store.root.resolve()),
    )


# Trainings.

WORK: list[Rungs] = []
"""This process's worker, made when it starts."""


def begin(setting: Setting) -> None:
    WORK.append(Rungs(setting, Silent()))


def train(setting: Setting, units: Sequence[Unit], out: Path, workers: int) -> None:
    missing = [unit for unit in units if not unit.path(out).exists()]
    begun, said, size = time.monotonic(), 0.0, len(missing)
    spawning = multiprocessing.get_context("spawn")
    print(f"{size} of {len(units)} trainings to do", flush=True)
    with ProcessPoolExecutor(workers, spawning, begin, (setting,)) as pool:
        futures = [pool.submit(trained, unit, out) for unit in missing]
        for done, future in enumerate(as_completed(futures), start=1):
            future.result()
            passed = time.monotonic() - begun
            if passed - said > EVERY or done == size:
                said = passed
                left = passed / done * (size - done)
                end = time.strftime("%H:%M", time.gmtime(time.time() + left))
                print(f"{done} of {size}, {passed / done:.2f} s each, end {end}", flush=True)


def trained(unit: Unit, out: Path) -> None:
    """Climbs the whole ladder; a training that diverges has no scores from there on."""
    work, folder = WORK[0], out / "scratch" / f"{unit.architecture.id}-{unit.number}"
    images = len(work.search_val[1])
    seed = derive(0, "table", unit.architecture.id, unit.number)
    correct, seconds, reason = [], [], ""
    shutil.rmtree(folder, ignore_errors=True)
    for rung in range(1, len(work.setting.fractions) + 1):
        started = time.process_time()
        result = work(Job("table", rung, unit.architecture, unit.recipe, seed, str(folder)))
        if result.state not in ("done", "diverged"):
            raise SystemExit(f"{unit}: {result.state}: {result.reason}")
        if result.accuracy is None:
            reason = result.reason
            break
        correct.append(round(result.accuracy * images))
        seconds.append(time.process_time() - started)
    shutil.rmtree(folder)
    write_json(unit.path(out), {"correct": correct, "seconds": seconds, "reason": reason})


# What students cost, and what they know before any lesson.


def costs_of(context: Context) -> None:
    """Latencies of all students in the same rounds; they are kept in the store."""
    info = read_info(Path(context.run.facts()["data"]))
    open_book(context, info).costs(students_of(context), latency=True)


def inherited(context: Context, folder: Path) -> dict[str, int]:
    """Correct with inherited weights, by architecture."""
    work = Rungs(setting_of(context), Silent())
    images = len(work.search_val[1])
    jobs = [inherited_job(a, folder) for a in order_of(context)(students_of(context))]
    return {j.architecture.id: round((work(j).accuracy or 0) * images) for j in jobs}


# The files.


def pack(
    context: Context, units: Sequence[Unit], out: Path, results: Path, *, partial: bool
) -> None:
    done = [unit for unit in units if unit.path(out).exists()]
    if len(done) < len(units) and not partial:
        raise SystemExit(f"{len(units) - len(done)} trainings are missing; see --partial")
    students, recipes = students_of(context), list(recipes_of(pool_of(context)))
    at = {a.id: n for n, a in enumerate(students)}
    shape = (len(students), len(recipes), len(context.config.search.rungs))
    correct, seconds = np.full(shape, NONE, np.int16), np.zeros(shape, np.float32)
    for unit in done:
        content = read_json(unit.path(out))
        got = len(content["correct"])
        correct[at[unit.architecture.id], unit.number, :got] = content["correct"]
        seconds[at[unit.architecture.id], unit.number, :got] = content["seconds"]
    before = inherited(context, out / "inherited")
    book = open_book(context, read_info(Path(context.run.facts()["data"])))
    known = [a for a in students if partial or book.knows([a])]
    costs = book.costs(known, latency=not partial)
    columns = {
        name: np.array([costs[a.id].get(name, np.nan) for a in students], np.float32)
        for name in ("params", "macs", "latency_ms", "latency_p95_ms")
    }
    results.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        results / f"{NAME}.npz",
        inherited=np.array([before[a.id] for a in students], np.int16),
        correct=correct,
        seconds=seconds,
        **columns,
    )
    write_json(results / f"{NAME}.json", facts_of(context, len(done), float(seconds.sum())))


def facts_of(context: Context, trainings: int, seconds: float) -> dict[str, Any]:
    """What the arrays' axes are, and how they were made."""
    run, config = RunDir(context.run.root), context.config
    info = read_info(Path(run.facts()["data"]))
    pool = pool_of(context)
    return {
        "schema": 1,
        "about": "see benchmarks/search/README.md",
        "command": "python benchmarks/search/table.py",
        "config": told(config),
        "images": dict(info.counts),
        "classes": len(info.classes),
        "space": {n: list(v) for n, v in context.space.space.choices().items()},
        "methods": {m: choices(space) for m, space in pool.methods.items()},
        "training": choices(pool.training),
        "taught": sorted(pool.taught),
        "recipes": [recipe.as_dict() for recipe in recipes_of(pool)],
        "fractions": list(config.search.rungs),
        "epochs": config.distill.epochs,
        "trainings": trainings,
        "processor_seconds": round(seconds),
        "target": fingerprint(target_of(context)),
        "versions": {
            "kdsearch": kdsearch.__version__,
            "python": platform.python_version(),
            "torch": str(torch.__version__),
            "onnxruntime": onnxruntime.__version__,
            "numpy": np.__version__,
        },
    }


def choices(space: Space) -> dict[str, list[Any]]:
    return {name: list(values) for name, values in space.choices().items()}


def told(config: Config) -> dict[str, Any]:
    """The sections that a table depends on."""
    sections = config.model_dump(mode="json")
    names = ("data", "teacher", "supernet", "distill", "latency", "seed", "threads")
    return {name: sections[name] for name in names}


if __name__ == "__main__":
    main()

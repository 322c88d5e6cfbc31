"""Students and recipes searched together, against each half alone, for the same seconds.

`python benchmarks/search/joint.py [--seeds 5] [--seconds 60] [--workers 2]` trains for real, on
digits; goes on where it was stopped; writes results/joint.json beside this file, tables.py
prints it. The machine should be quiet: budgets are seconds. The searches of one seed share
data, teacher, supernet and the latencies of all students, measured before any of them.
"""

import argparse
import json
import multiprocessing
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from kdsearch.config import Config, read_config
from kdsearch.core.objectives import KNOWN
from kdsearch.core.progress import Silent
from kdsearch.core.records import Architecture, Candidate, Recipe
from kdsearch.core.volume import reference_point, volume
from kdsearch.data.stored import read_info
from kdsearch.files import read_json, write_json
from kdsearch.measure.book import CostBook
from kdsearch.pipeline.context import Context, open_context
from kdsearch.pipeline.costs import ends, open_book
from kdsearch.pipeline.finalize import finalized
from kdsearch.pipeline.jobs import Ground
from kdsearch.pipeline.ledger import by_rung
from kdsearch.pipeline.run import run
from kdsearch.pipeline.search import Part, pool_of, searched
from kdsearch.search.pool import Pool
from kdsearch.search.simpler import with_architecture, with_recipe
from kdsearch.search.survivors import survivors
from kdsearch.search.trial import Trial

HERE = Path(__file__).parent
OBJECTIVES = (KNOWN["accuracy"], KNOWN["latency_ms"])
SPLITS = ("search", "test")
PLANNED = 200
"""Trials that a sampler reckons with; the seconds end a search."""
MIDDLE = Architecture.of(
    {
        "stage1.width": 8,
        "stage2.width": 16,
        "stage3.width": 32,
        "stage1.depth": 1,
        "stage2.depth": 1,
        "stage3.depth": 1,
    }
)
"""The one student of the search for a recipe."""


@dataclass(frozen=True, slots=True)
class Arm:
    """A search of a part of the pool, for a share of the seconds."""

    name: str
    narrowed: Callable[[Pool, Candidate | None], Pool]
    share: float = 1.0
    given_by: str | None = None
    """The arm whose best recipe it takes."""
    shown: bool = True


def whole(pool: Pool, given: Candidate | None) -> Pool:
    return pool


def students_alone(pool: Pool, given: Candidate | None) -> Pool:
    assert given is not None
    return with_recipe(pool, given)


def recipes_alone(pool: Pool, given: Candidate | None) -> Pool:
    return with_architecture(pool, Candidate(MIDDLE, Recipe("hard")))


ARMS = (
    Arm("joint", whole),
    Arm("recipes alone", recipes_alone),
    Arm("students alone, recipe given", students_alone, given_by="recipes alone"),
    Arm("first half", recipes_alone, share=0.5, shown=False),
    Arm("one after the other", students_alone, share=0.5, given_by="first half"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/search-joint"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=60.0, help="of training, per search")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--results", type=Path, default=HERE / "results" / "joint.json")
    asked = parser.parse_args()
    make = partial(config_of, asked.out, asked.seconds)
    timed(make(0, 1.0), asked.out / "timed")
    one = partial(of_seed, asked.out, asked.seconds)
    with ProcessPoolExecutor(asked.workers, multiprocessing.get_context("spawn")) as pool:
        rows = list(pool.map(one, range(asked.seeds)))
    content = {
        "seconds": asked.seconds,
        "arms": [arm.name for arm in ARMS if arm.shown],
        "reference": rows[0]["reference"],
        "seeds": rows,
    }
    asked.results.parent.mkdir(exist_ok=True)
    asked.results.write_text(json.dumps(content, indent=1) + "\n")


def best_of(found: Mapping[str, Any]) -> Candidate:
    """The most accurate of a search."""
    best = found["best"]
    return Candidate(Architecture.of(best["architecture"]), Recipe.read(best["recipe"]))


def config_of(out: Path, seconds: float, seed: int, share: float) -> Config:
    given = {
        "space": HERE / "space.yaml",
        "store": (out / "store").resolve(),
        "seed": seed,
        "search.device_seconds": seconds * share,
    }
    return read_config(HERE / "joint.yaml", [f"{key}={value}" for key, value in given.items()])


def timed(config: Config, out: Path) -> None:
    """Latencies of all students, with nothing else at work; every search looks them up."""
    run(config, out, Silent(), until="data")
    context = open_context(config, out, Silent())
    book = open_book(context, read_info(Path(context.run.facts()["data"])))
    students = [Architecture.of(point) for point in context.space.space.points()]
    book.costs(students, latency=True)


def of_seed(out: Path, seconds: float, seed: int) -> dict[str, Any]:
    """All searches of one seed."""
    found: dict[str, Any] = {}
    for arm in ARMS:
        folder = out / f"seed{seed}" / arm.name.replace(", ", "-").replace(" ", "-")
        path = folder / "outcome.json"
        if not path.exists():
            given = None if arm.given_by is None else best_of(found[arm.given_by])
            config = config_of(out, seconds, seed, arm.share)
            write_json(path, taught(config, folder, arm, given))
        found[arm.name] = read_json(path)
        volumes = found[arm.name]["volume"]
        print(seed, arm.name, found[arm.name]["trials"], volumes, flush=True)
    shown = {arm.name: found[arm.name] for arm in ARMS if arm.shown}
    return {"seed": seed, "reference": found["joint"]["reference"], "arms": shown}


def taught(config: Config, out: Path, arm: Arm, given: Candidate | None) -> dict[str, Any]:
    """One search, its finalists trained to the end."""
    run(config, out, Silent(), until="supernet")
    context = open_context(config, out, Silent())
    ground = ground_of(context)
    with context.run.writing():
        part = Part(arm.narrowed(pool_of(context), given), PLANNED)
        found = searched(context, ground, part)
        points = finalized(context, ground, found)["points"]
    spent = by_rung(context.run.trials(found.study))
    best = max(survivors(found.trials, len(found.trials), OBJECTIVES), key=first_score)
    chance = 1 / len(ground.info.classes)
    reference = reference_point(OBJECTIVES, chance, ground.ends["largest"])
    return {
        "volume": {s: front_volume(points, s, ground.book, reference) for s in SPLITS},
        "reference": reference,
        "trials": len(found.trials),
        "complete": sum(t.state == "complete" for t in found.trials),
        "seconds": {rung: row["device_seconds"] for rung, row in spent.items()},
        "best": {
            "architecture": best.candidate.architecture.as_dict(),
            "recipe": best.candidate.recipe.as_dict(),
        },
        "front": [told(point, ground.book) for point in points],
    }


def first_score(trial: Trial) -> float:
    return trial.scores[trial.rung][0]


def ground_of(context: Context) -> Ground:
    facts = context.run.facts()
    data, teacher, supernet = (Path(facts[name]) for name in ("data", "teacher", "supernet"))
    info = read_info(data)
    book = open_book(context, info)
    return Ground(data, info, teacher, supernet, book, ends(context, book))


def front_volume(
    points: Sequence[Mapping[str, Any]],
    split: str,
    book: CostBook,
    reference: Mapping[str, float],
) -> float:
    """Of the published students, with the latencies that all searches share."""
    values = [
        {"accuracy": point[f"{split}_accuracy"], "latency_ms": latency(point, book)}
        for point in points
    ]
    found = volume(values, OBJECTIVES, reference)
    assert found is not None
    return found


def latency(point: Mapping[str, Any], book: CostBook) -> float:
    student = Architecture.of(point["architecture"])
    return book.costs([student], latency=True)[student.id]["latency_ms"]


def told(point: Mapping[str, Any], book: CostBook) -> dict[str, Any]:
    names = ("architecture", "recipe", "search_accuracy", "test_accuracy")
    return {**{name: point[name] for name in names}, "latency_ms": latency(point, book)}


if __name__ == "__main__":
    main()

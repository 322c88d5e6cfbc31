"""A search whose results come from a table of real trainings, in milliseconds a trial (ours).

The table holds every student of a small space taught by every recipe, scored at each rung; see
benchmarks/search/table.py, which makes it. Tests and benchmarks run searches on it.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from kdsearch.core.objectives import KNOWN
from kdsearch.core.progress import Silent
from kdsearch.core.records import Architecture, Candidate, Job, Recipe, Result
from kdsearch.core.space import Choice, Space
from kdsearch.core.volume import reference_point, volume
from kdsearch.files import write_json
from kdsearch.search.climb import Climb
from kdsearch.search.limits import Limits
from kdsearch.search.pool import Pool
from kdsearch.search.rung import result_path
from kdsearch.search.study.journal import Study
from kdsearch.search.study.mirror import Question
from kdsearch.search.study.proposer import Proposer, Start
from kdsearch.search.terms import Places, Prices, Terms
from kdsearch.search.trial import Trial

HERE = Path(__file__).parent
OBJECTIVES = (KNOWN["accuracy"], KNOWN["latency_ms"])
COSTS = ("params", "macs", "latency_ms", "latency_p95_ms")


class Cell(NamedTuple):
    """A training, up to a rung."""

    accuracy: float | None
    """On search-validation; None where it came to nothing."""
    seconds: float
    """Of processor time that this rung took, beyond the one below."""


@dataclass(frozen=True)
class Table:
    facts: Mapping[str, Any]
    """What the arrays' axes are, and how they were made."""
    arrays: Mapping[str, np.ndarray]

    @classmethod
    def read(cls, name: str = "digits", folder: Path = HERE) -> "Table":
        facts = json.loads((folder / f"{name}.json").read_text())
        with np.load(folder / f"{name}.npz") as stored:
            return cls(facts, {key: stored[key] for key in stored.files})

    @cached_property
    def pool(self) -> Pool:
        facts = self.facts
        methods = {name: space_of(axes) for name, axes in facts["methods"].items()}
        taught, training = frozenset(facts["taught"]), space_of(facts["training"])
        return Pool(space_of(facts["space"]), methods, training, taught)

    @cached_property
    def students(self) -> list[Architecture]:
        return [Architecture.of(point) for point in self.pool.architectures.points()]

    @cached_property
    def recipes(self) -> list[Recipe]:
        return [Recipe.read(content) for content in self.facts["recipes"]]

    @cached_property
    def rows(self) -> dict[str, int]:
        """By architecture id."""
        return {a.id: n for n, a in enumerate(self.students)}

    @cached_property
    def columns(self) -> dict[Recipe, int]:
        return {recipe: n for n, recipe in enumerate(self.recipes)}

    @property
    def images(self) -> int:
        return int(self.facts["images"]["search_val"])

    def inherited(self, architecture: Architecture) -> float:
        return float(self.arrays["inherited"][self.rows[architecture.id]]) / self.images

    def cell(self, architecture: Architecture, recipe: Recipe, level: int) -> Cell:
        """`level` counts the table's rungs from 0."""
        at = self.rows[architecture.id], self.columns[recipe], level
        correct, seconds = int(self.arrays["correct"][at]), float(self.arrays["seconds"][at])
        return Cell(None if correct < 0 else correct / self.images, seconds)

    def costs(self, architecture: Architecture) -> dict[str, float]:
        row = self.rows[architecture.id]
        return {name: float(self.arrays[name][row]) for name in COSTS}

    def values(self, candidate: Candidate) -> dict[str, float] | None:
        """Accuracy at the top rung and costs; None of a training that came to nothing."""
        top = len(self.facts["fractions"]) - 1
        accuracy = self.cell(candidate.architecture, candidate.recipe, top).accuracy
        if accuracy is None:
            return None
        return {"accuracy": accuracy, **self.costs(candidate.architecture)}

    @cached_property
    def largest(self) -> dict[str, float]:
        return self.costs(Architecture.of(self.pool.architectures.largest()))

    @cached_property
    def reference(self) -> dict[str, float]:
        return reference_point(OBJECTIVES, 1 / self.facts["classes"], self.largest)

    def volume(self, points: Sequence[Mapping[str, float]]) -> float:
        found = volume(points, OBJECTIVES, self.reference)
        assert found is not None
        return found

    def everything(self) -> Iterator[Candidate]:
        for architecture, recipe in product(self.students, self.recipes):
            yield Candidate(architecture, recipe)

    @cached_property
    def exhaustive(self) -> float:
        """Hypervolume of all that there is."""
        found = (self.values(candidate) for candidate in self.everything())
        return self.volume([values for values in found if values is not None])


def space_of(axes: Mapping[str, Sequence[Any]]) -> Space:
    return Space({name: Choice(tuple(values)) for name, values in axes.items()})


class Done(NamedTuple):
    """A job above rung 0 that came to its end."""

    number: int
    """How many trials were trained by then, this one included."""
    epochs: float
    """Trained by then, over all trials."""
    candidate: Candidate
    rung: int
    accuracy: float | None


@dataclass
class Replay:
    """A search on the table, in a folder; may be left and taken up again."""

    table: Table
    folder: Path
    terms: Terms
    sampler: str = "tpe"
    limits: Limits = field(default_factory=Limits)
    stores: bool = True
    """Whether a worker's results are written to disk, as it takes to survive a kill."""
    prepared: Callable[[Climb], None] = lambda climb: None
    """Changes a search before it begins."""
    log: list[Done] = field(default_factory=list)
    epochs: float = 0.0

    @property
    def journal(self) -> Path:
        return self.folder / "study.journal"

    @cached_property
    def levels(self) -> list[int]:
        """Of the search's rungs, from 1 on, in the table; finalists are not replayed."""
        offered = [round(f, 6) for f in self.table.facts["fractions"]]
        return [offered.index(round(f, 6)) for f in self.terms.fractions[:-1]]

    def climb(self) -> Climb:
        terms, pool = self.terms, self.table.pool
        study = Study(self.journal, terms.objectives)
        question = Question(pool, terms.objectives, self.sampler, terms.trials)
        ends = (pool.architectures.smallest(), pool.architectures.largest())
        starts = [Start(Architecture.of(end)) for end in ends]
        made = Climb(
            study,
            Proposer(study, question, starts, terms.seed),
            terms,
            Places(self.folder / "inherited", self.folder / "trials"),
            Prices(
                lambda asked: {a.id: self.table.costs(a) for a in asked},
                lambda asked: True,
                self.table.largest,
            ),
            self.limits,
            Silent(),
        )
        self.prepared(made)
        return made

    def work(self, job: Job) -> Result:
        result = self.result(job)
        if self.stores:
            write_json(result_path(job), result.as_dict())
        return result

    def result(self, job: Job) -> Result:
        if job.recipe is None:
            accuracy = self.table.inherited(job.architecture)
            return Result(job.name, 0, "done", accuracy=accuracy)
        level = self.levels[job.rung - 1]
        below = self.levels[job.rung - 2] if job.rung > 1 else -1
        cells = [
            self.table.cell(job.architecture, job.recipe, n)
            for n in range(below + 1, level + 1)
        ]
        accuracy, seconds = cells[-1].accuracy, sum(cell.seconds for cell in cells)
        self.note(job, accuracy)
        if accuracy is None:
            return Result(job.name, job.rung, "diverged", seconds=seconds, reason="no loss")
        return Result(job.name, job.rung, "done", accuracy=accuracy, seconds=seconds)

    def note(self, job: Job, accuracy: float | None) -> None:
        assert job.recipe is not None
        fractions = (0.0, *self.terms.fractions)
        share = fractions[job.rung] - fractions[job.rung - 1]
        self.epochs += share * self.table.facts["epochs"]
        number = self.trained + (job.rung == 1)
        candidate = Candidate(job.architecture, job.recipe)
        self.log.append(Done(number, self.epochs, candidate, job.rung, accuracy))

    @property
    def trained(self) -> int:
        """How many trials were trained at all."""
        return self.log[-1].number if self.log else 0

    def run(self, until: Callable[[], bool] = lambda: False) -> list[Trial]:
        """One job after the other, to the end or until it is so; takes up what is there."""
        source = self.climb()
        while not until() and (job := source.next()) is not None:
            assert isinstance(job, Job)
            source.tell(self.work(job))
        return list(source.study.trials)

    def having(self, **changed: Any) -> "Replay":
        """The same search on other terms, nothing done yet."""
        terms = replace(self.terms, **changed)
        return Replay(self.table, self.folder, terms, self.sampler, stores=self.stores)

"""A search whose results come from a formula, in milliseconds; a setting that trains."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from kdsearch.core.objectives import KNOWN
from kdsearch.core.progress import Silent
from kdsearch.core.records import Architecture, Job, Result
from kdsearch.core.seeds import derive
from kdsearch.core.space import Choice, Range, Space
from kdsearch.files import write_json
from kdsearch.rundir import RunDir
from kdsearch.search.climb import Climb
from kdsearch.search.limits import Limits
from kdsearch.search.pool import Pool
from kdsearch.search.rung import result_path
from kdsearch.search.setting import Setting
from kdsearch.search.study.journal import Study
from kdsearch.search.study.mirror import Question
from kdsearch.search.study.proposer import Proposer, Start
from kdsearch.search.terms import Places, Prices, Terms
from kdsearch.search.trial import Trial
from kdsearch.spaces import load_space
from kdsearch.training.plan import Plan

POOL = Pool(
    Space({"depth": Choice((1, 2, 3)), "width": Choice((2, 4, 8, 16))}),
    {"hard": Space({}), "soften": Space({"temperature": Range(1, 10, log=True)})},
)
TERMS = Terms(
    trials=16,
    batch=4,
    fractions=(0.2, 1.0),
    keep_layers=2,
    objectives=(KNOWN["accuracy"], KNOWN["macs"]),
    bounds=(),
    seed=0,
)


def macs_of(architecture: Architecture) -> float:
    return float(architecture["depth"]) * float(architecture["width"]) ** 2


def accuracy_of(job: Job) -> float:
    """Larger is better with diminishing returns; softening helps; noise by job."""
    size = macs_of(job.architecture)
    taught = 0.0 if job.recipe is None else 0.05 * (job.recipe.method == "soften")
    noise = derive(0, job.architecture.id, job.rung, job.seed) / 2**32
    return 0.2 + 0.2 * size / (size + 50) + taught + 0.02 * job.rung + 0.5 * noise


def done(job: Job) -> Result:
    return Result(job.name, job.rung, "done", accuracy=accuracy_of(job))


@dataclass
class World:
    """A folder with a search in it, that may be copied, left and taken up again."""

    folder: Path
    terms: Terms = TERMS
    pool: Pool = POOL
    sampler: str = "tpe"
    limits: Limits = field(default_factory=Limits)
    inherits: bool = True
    result: Callable[[Job], Result] = done
    executed: list[str] = field(default_factory=list)
    """Names of the jobs done here, in order."""
    asked: list[list[str]] = field(default_factory=list)
    """Architectures whose costs were asked for."""
    priced: set[str] = field(default_factory=set)
    at_screen: Callable[[Sequence[Architecture]], Mapping[str, Any]] | None = None
    """Predicts costs."""

    @property
    def journal(self) -> Path:
        return self.folder / "study.journal"

    def climb(self) -> Climb:
        study = Study(self.journal, self.terms.objectives)
        terms, space = self.terms, self.pool.architectures
        question = Question(self.pool, terms.objectives, self.sampler, terms.trials)
        starts = [Start(Architecture.of(end())) for end in (space.smallest, space.largest)]
        return Climb(
            study,
            Proposer(study, question, starts, terms.seed),
            terms,
            Places(
                self.folder / "inherited" if self.inherits else None, self.folder / "trials"
            ),
            Prices(
                lambda asked: self.costs(asked),
                lambda asked: all(a.id in self.priced for a in asked),
                {"macs": 3 * 16**2},
                self.at_screen,
            ),
            self.limits,
            Silent(),
        )

    def costs(self, architectures: Sequence[Architecture]) -> Mapping[str, Any]:
        self.asked.append([a.id for a in architectures])
        self.priced.update(a.id for a in architectures)
        return {a.id: {"macs": macs_of(a), "params": 2 * macs_of(a)} for a in architectures}

    def work(self, job: Job) -> Result:
        """As a worker: the result is on disk before it is told."""
        result = self.result(job)
        write_json(result_path(job), result.as_dict())
        self.executed.append(job.name)
        return result

    def run(self) -> list[Trial]:
        """To the end, one job after the other; takes up what is there."""
        source = self.climb()
        while (job := source.next()) is not None:
            assert isinstance(job, Job)
            source.tell(self.work(job))
        return self.trials()

    def trials(self) -> list[Trial]:
        return Study(self.journal, self.terms.objectives).trials

    def having(self, **changed: Any) -> "World":
        """The same search on other terms."""
        return replace(self, terms=replace(self.terms, **changed), executed=[], asked=[])

    def copy(self, name: str | Path) -> "World":
        """The search as it stands, in a folder of its own beside this one."""
        folder = self.folder.with_name("copies") / name
        self.folder.mkdir(parents=True, exist_ok=True)
        shutil.copytree(self.folder, folder)
        return replace(self, folder=folder, executed=list(self.executed), asked=[])


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "search")


@pytest.fixture
def ground(finished: RunDir, tmp_path: Path) -> Setting:
    """Data, teacher and supernet of the tiny run, a short plan, a store of the test's own."""
    facts = finished.facts()
    return Setting(
        data=facts["data"],
        supernet=facts["supernet"],
        teacher=facts["teacher"],
        family="resnet",
        space=load_space("resnet-tiny").space,
        plan=Plan(steps=12, batch_size=64, learning_rate=0.05, weight_decay=1e-4, seed=99),
        fractions=(1.0,),
        store=str(tmp_path / "store"),
    )

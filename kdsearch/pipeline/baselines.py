"""Verb `search-baselines`: does the search do better than simpler ones at the same cost?

Each baseline stands on the run's own teacher, supernet and latencies and is given the
device-seconds that the run's search took to train students; the search itself is repeated with
the same seeds. They are compared by the hypervolume of their completed trials at the top rung
of the search, on the search-validation images: no finalist is trained, and the test images
stay closed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kdsearch.config import Config, read_config, resolved_yaml
from kdsearch.config.checks import OBJECT
from kdsearch.config.objectives import objectives_of
from kdsearch.core.progress import Progress
from kdsearch.core.quantities import duration
from kdsearch.core.seeds import derive
from kdsearch.data.stored import read_info
from kdsearch.errors import RunError, UserError
from kdsearch.files import write_json, write_text
from kdsearch.pipeline.baseline_results import Searched, content_of
from kdsearch.pipeline.clean import clean
from kdsearch.pipeline.context import Context, open_context, training_threads
from kdsearch.pipeline.costs import open_books
from kdsearch.pipeline.halves import halves_of
from kdsearch.pipeline.heartbeat import Heartbeat
from kdsearch.pipeline.jobs import Ground
from kdsearch.pipeline.ledger import by_rung
from kdsearch.pipeline.report_extras import BASELINES
from kdsearch.pipeline.search import Part, pool_of, searched
from kdsearch.pipeline.trials import trials as all_trials
from kdsearch.rundir import RunDir
from kdsearch.search.simpler import SEARCH, Arm, arms
from kdsearch.search.trial import Trial

FOLDER = "baselines"
FEWEST = 2
TIMES = 10
"""A baseline tries at most so many times the trials of the search: what a screen stops costs
no device-seconds of a training."""


@dataclass(frozen=True, slots=True)
class Yardstick:
    """What every baseline is given, and the run it is held against."""

    context: Context
    ground: Ground
    trials: Sequence[Trial]
    device_seconds: float


def baselines(run: RunDir, progress: Progress, *, seeds: int) -> dict[str, Any]:
    """Runs what is not there yet, and gives the content of baselines.json.

    Raises:
        RunError: there is no finished search here.
        UserError: too few seeds, or a search that has no hypervolume.
        SearchError: jobs failed again and again.
    """
    if seeds < FEWEST:
        raise UserError(
            f"--seeds {seeds}: needs at least {FEWEST} for an interval; 3 or more tell"
        )
    front = run.read(run.front, "points", "hypervolume", "reference_point")
    config, trials = read_config(run.config), all_trials(run)
    check(run, config, front, trials)
    with run.writing(), training_threads(config.threads):
        context = open_context(config, run.root, Heartbeat(progress, run.progress))
        ground = ground_of(context)
        spent = trained_seconds(run.trials(run.facts()["study"]), config)
        yardstick = Yardstick(context, ground, trials, spent)
        point, halves = halves_of(context, front, trials)
        every = list(arms(pool_of(context), config.search.sampler, halves))
        asked = [arm for arm in every if not arm.unlike]
        progress.say(
            f"baselines: {len(asked) * seeds - 1} searches of {duration(spent)} of training "
            "each; those that are done are not done again"
        )
        found = [
            (arm, [one_search(yardstick, arm, number) for number in range(seeds)])
            for arm in asked
        ]
        content = content_of(front, found, objectives_of(config.search.objectives))
        content |= {
            "study": run.facts()["study"],
            "knee": point["id"],
            "device_seconds": spent,
            "skipped": {arm.name: arm.unlike for arm in every if arm.unlike},
        }
        write_json(run.root / BASELINES, content)
    return content


def check(
    run: RunDir, config: Config, front: Mapping[str, Any], trials: Sequence[Trial]
) -> None:
    if any(t.state == "running" for t in trials):
        raise RunError(
            f"{run.root}: its search is not over; `kdsearch run {run.config} --out {run.root}` "
            "goes on"
        )
    if front["hypervolume"] is None:
        raise UserError(
            f"{run.root}: its objectives have no hypervolume to compare by; give the score of "
            "your own a `worst` in search.objectives"
        )
    if config.teacher.network == OBJECT:
        raise UserError(
            f"{run.root}: its teacher was passed in Python and is not there any more; name it "
            "as teacher.network: module:pkg.mod:factory"
        )


def ground_of(context: Context) -> Ground:
    """What the run's own search stood on."""
    facts = context.run.facts()
    folders = {n: Path(facts[n]) if facts.get(n) else None for n in ("teacher", "supernet")}
    data = Path(facts["data"])
    info = read_info(data)
    books = open_books(context, info)
    return Ground(data, info, folders["teacher"], folders["supernet"], books, facts["ends"])


def one_search(yardstick: Yardstick, arm: Arm, number: int) -> Searched:
    """One arm with one seed; the search's first is the run itself."""
    config = yardstick.context.config
    top = len(config.search.rungs) - 1
    if arm.name == SEARCH and number == 0:
        return Searched(yardstick.trials, yardstick.device_seconds, "", top)
    context = context_of(yardstick, arm, number)
    part = Part(arm.pool, config.search.trials)
    found = searched(context, yardstick.ground, part)
    clean(context.run, every=True, dry=False)  # nobody goes on from a baseline's trials
    spent = trained_seconds(context.run.trials(found.study), config)
    cut = spent < yardstick.device_seconds
    why = f"{len(found.trials)} trials did not use the time up" if cut else ""
    return Searched(found.trials, spent, why, top)


def context_of(yardstick: Yardstick, arm: Arm, number: int) -> Context:
    """A folder and a config of its own, on the run's results."""
    own = yardstick.context
    config, facts = own.config, own.run.facts()
    url = config.search.weights
    limits = {
        "weights": url and f"{url.rstrip('/')}/{own.run.root.name}/{FOLDER}",
        "trials": TIMES * max(config.search.trials, len(yardstick.trials)),
        "device_seconds": yardstick.device_seconds,
        "seconds": None,
        "patience": None,
        "sampler": arm.sampler,
    }
    seed = config.seed if number == 0 else derive(config.seed, "repeated", number)
    changed = {"search": config.search.model_copy(update=limits), "seed": seed}
    alike = config.model_copy(update=changed)
    run = RunDir(own.run.root / FOLDER / f"{arm.name}-{number}")
    write_text(run.config, resolved_yaml(alike))
    run.note(**{n: facts.get(n) for n in ("data", "teacher", "teachers", "supernet", "ends")})
    progress = Named(own.progress, f"{arm.name}, seed {number + 1}")
    return replace(own, config=alike, run=run, progress=progress)


def trained_seconds(trials: Path, config: Config) -> float:
    """Device-seconds of a search's trainings, those of finalists left out."""
    top = len(config.search.rungs)
    return sum(row["device_seconds"] for rung, row in by_rung(trials).items() if rung < top)


class Named:
    """Progress in which the search has a name of its own, and no known length."""

    def __init__(self, progress: Progress, name: str) -> None:
        self._progress = progress
        self._names = {"search": name}

    def start(self, task: str, total: int) -> None:
        self._progress.start(self._names.get(task, task), 0 if task in self._names else total)

    def step(self, task: str, done: int, note: str = "") -> None:
        self._progress.step(self._names.get(task, task), done, note)

    def finish(self, task: str, note: str = "") -> None:
        self._progress.finish(self._names.get(task, task), note)

    def say(self, line: str) -> None:
        self._progress.say(line)

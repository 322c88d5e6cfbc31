"""Verb `run`: from a config to a front, stage by stage; what is done already is not done again.

The data are split four ways; a teacher is trained or brought; a supernet that holds every
student is trained against it; a search proposes students and recipes and climbs the promising
ones up the ladder; the survivors are trained to the end, tested once and published as the
front; the report shows it all.
"""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from torch import nn

from kdsearch.config import Config, resolved_yaml
from kdsearch.core.progress import Progress, Silent
from kdsearch.data.records import DataInfo
from kdsearch.errors import TeacherError, UserError
from kdsearch.files import write_text
from kdsearch.pipeline.context import Context, open_context, training_threads
from kdsearch.pipeline.costs import ends, linked, open_books
from kdsearch.pipeline.data import prepared
from kdsearch.pipeline.finalize import finalized
from kdsearch.pipeline.further_teachers import further_teachers
from kdsearch.pipeline.heartbeat import Heartbeat
from kdsearch.pipeline.jobs import Ground
from kdsearch.pipeline.ledger import spent
from kdsearch.pipeline.report import is_stale, reported
from kdsearch.pipeline.search import searched
from kdsearch.pipeline.supernet import trained
from kdsearch.pipeline.teacher import taught
from kdsearch.pipeline.team import called, follows, joined
from kdsearch.pipeline.timed import targets_told
from kdsearch.pipeline.together import Order, taking_part, trained_together
from kdsearch.pipeline.trying_out import try_out
from kdsearch.pipeline.trying_scores import try_out_scores
from kdsearch.pipeline.trying_search import try_out_search
from kdsearch.ranks import world
from kdsearch.rundir import STAGES, RunDir

SUPERNET = STAGES.index("supernet")
"""The last stage in which several processes train together."""


class Taught(NamedTuple):
    """The results of the first three stages."""

    data: Path
    info: DataInfo
    teacher: Path | None
    supernet: Path | None


def run(
    config: Config,
    out: Path,
    progress: Progress,
    *,
    until: str | None = None,
    given: nn.Module | None = None,
) -> RunDir:
    """Every stage up to and including `until`, in the folder `out`.

    Raises:
        UserError: the config, the data, the teacher or the folder will not do.
        BudgetError: no student meets the budget.
        SearchError: the search had to stop.
    """
    rundir, last = RunDir(out), STAGES.index(until or STAGES[-1])
    if world() > 1 and last > SUPERNET:
        raise UserError(
            "a process group is set up here, which could not be left after the supernet; "
            "leave it to kdsearch to set one up"
        )
    before = spent(rundir.ledger)
    if follows():
        follow(config, out, last, given)
        return rundir
    if last > SUPERNET and not rundir.front.exists():
        try_out_search(open_context(config, out, progress, given))
    if config.processes > 1 and called() == 1 and last > 0:
        lead(config, out, progress, min(last, SUPERNET), given)
    with rundir.writing(), training_threads(config.threads):
        context = opened(config, out, Heartbeat(progress, rundir.progress), given)
        text = resolved_yaml(config)
        if not rundir.config.exists() or rundir.config.read_text(encoding="utf-8") != text:
            write_text(rundir.config, text)
        with joined(context.device):
            ground = taught_stages(context, last)
        if ground is not None and last > SUPERNET:
            searched_stages(context, ground, last)
        if spent(rundir.ledger) == before:
            progress.say("everything was done before; nothing was done again")
    return rundir


def opened(
    config: Config, out: Path, progress: Progress, given: nn.Module | None = None
) -> Context:
    """The context of a run in which several processes may train together."""
    processes = max(called(), config.processes)
    return replace(open_context(config, out, progress, given), processes=processes)


def lead(
    config: Config, out: Path, progress: Progress, last: int, given: nn.Module | None
) -> None:
    """Has several processes do the stages up to `last`.

    Raises:
        TeacherError: a teacher that cannot travel to them.
    """
    if given is not None:
        raise TeacherError(
            "a teacher passed as a Python object cannot travel to other processes; name it as "
            "teacher.network: module:pkg.mod:factory, or set processes: 1"
        )
    device = open_context(config, out, progress).device
    order = Order(config, str(out.absolute()), STAGES[last], str(Path.cwd()))
    trained_together(take_part, order, progress, gpus=device == "cuda")


def take_part(order: Order) -> None:
    """What each process that was started to train with others does."""
    with taking_part(order):
        run(order.config, Path(order.out), Silent(), until=order.until)


def follow(config: Config, out: Path, last: int, given: nn.Module | None) -> None:
    """What all but the first of several processes do: train along. They leave no files."""
    with (
        training_threads(config.threads),
        TemporaryDirectory(prefix="kdsearch-") as scratch,
    ):
        context = replace(opened(config, out, Silent(), given), run=RunDir(Path(scratch)))
        with joined(context.device):
            taught_stages(context, last)


def taught_stages(context: Context, last: int) -> Taught | None:
    """Data, teacher and supernet; None where the supernet is not asked for."""
    run, say = context.run, context.progress.say
    data, info = prepared(context)
    run.link("data", data)
    parts = ("train", "calibration", "search_val", "test")
    counts = ", ".join(f"{info.counts[part]} {part}" for part in parts)
    say(f"data: {info.name}, {len(info.classes)} classes, {info.size} px; {counts}")
    run.note(data=str(data.resolve()), until=STAGES[last])
    if last == 0:
        return None
    try_out(context, info)
    try_out_scores(context, info)
    teacher = taught(context, data, info)
    if teacher is not None:
        run.link("teacher", teacher)
    run.note(teacher=None if teacher is None else str(teacher.resolve()))
    further_teachers(context, data, info)
    if last == 1:
        return None
    supernet = trained(context, data, info, teacher)
    if supernet is not None:
        run.link("supernet", supernet)
    run.note(supernet=None if supernet is None else str(supernet.resolve()))
    return Taught(data, info, teacher, supernet)


def searched_stages(context: Context, known: Taught, last: int) -> None:
    """Search, finalists and report."""
    run, (data, info, teacher, supernet) = context.run, known
    books = open_books(context, info)
    linked(context, books)
    ground = Ground(data, info, teacher, supernet, books, ends(context, books))
    run.note(ends=ground.ends, targets=targets_told(books))
    found = searched(context, ground)
    if last == 3:
        return
    front = finalized(context, ground, found)
    if last == 4:
        return
    if is_stale(run):
        reported(run)
    volume = front["hypervolume"]
    measured = "" if volume is None else f", hypervolume {volume:.4f}"
    context.progress.say(f"front: {len(front['points'])} students{measured}")

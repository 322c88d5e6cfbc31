"""Verb `run`: from a config to a front, stage by stage; what is done already is not done again.

The data are split four ways; a teacher is trained or brought; a supernet that holds every
student is trained against it; a search proposes students and recipes and climbs the promising
ones up the ladder; the survivors are trained to the end, tested once and published as the
front; the report shows it all.
"""

from pathlib import Path

from torch import nn

from kdsearch.config import Config, resolved_yaml
from kdsearch.core.progress import Progress
from kdsearch.files import write_text
from kdsearch.pipeline.context import Context, open_context, spent, training_threads
from kdsearch.pipeline.costs import ends, open_book
from kdsearch.pipeline.data import prepared
from kdsearch.pipeline.finalize import finalized
from kdsearch.pipeline.heartbeat import Heartbeat
from kdsearch.pipeline.report import is_stale, reported
from kdsearch.pipeline.search import Ground, searched
from kdsearch.pipeline.supernet import trained
from kdsearch.pipeline.teacher import taught
from kdsearch.rundir import STAGES, RunDir


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
    rundir = RunDir(out)
    with rundir.writing(), training_threads(config.threads):
        context = open_context(config, out, Heartbeat(progress, rundir.progress), given)
        text = resolved_yaml(config)
        if not rundir.config.exists() or rundir.config.read_text(encoding="utf-8") != text:
            write_text(rundir.config, text)
        before = spent(rundir.ledger)
        stages(context, STAGES.index(until or STAGES[-1]))
        if spent(rundir.ledger) == before:
            progress.say("everything was done before; nothing was done again")
    return rundir


def stages(context: Context, last: int) -> None:
    run, say = context.run, context.progress.say
    data, info = prepared(context)
    run.link("data", data)
    parts = ("train", "calibration", "search_val", "test")
    counts = ", ".join(f"{info.counts[part]} {part}" for part in parts)
    say(f"data: {info.name}, {len(info.classes)} classes, {info.size} px; {counts}")
    run.note(data=str(data.resolve()), until=STAGES[last])
    if last == 0:
        return
    teacher = taught(context, data, info)
    if teacher is not None:
        run.link("teacher", teacher)
    run.note(teacher=None if teacher is None else str(teacher.resolve()))
    if last == 1:
        return
    supernet = trained(context, data, info, teacher)
    run.link("supernet", supernet)
    run.note(supernet=str(supernet.resolve()))
    if last == 2:
        return
    book = open_book(context, info)
    run.link("latency", book.folder)
    ground = Ground(data, info, teacher, supernet, book, ends(context, book))
    run.note(ends=ground.ends)
    found = searched(context, ground)
    if last == 3:
        return
    front = finalized(context, ground, found)
    if last == 4:
        return
    if is_stale(run):
        reported(run)
    say(f"front: {len(front['points'])} students, hypervolume {front['hypervolume']:.4f}")

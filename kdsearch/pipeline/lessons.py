"""What `distill` and `compare` share: one student of the config, and recipes for it."""

from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

from kdsearch.core.progress import Silent
from kdsearch.core.records import Architecture, Job, Recipe
from kdsearch.data.records import DataInfo
from kdsearch.distill.kinds import method_of, written_elsewhere
from kdsearch.distill.method import Method
from kdsearch.errors import UserError
from kdsearch.files import content_hash, file_hash
from kdsearch.nets.kinds import identity
from kdsearch.pipeline.bank import distill_plan
from kdsearch.pipeline.context import Context
from kdsearch.pipeline.data import prepared
from kdsearch.pipeline.supernet import as_plain
from kdsearch.pipeline.teacher import source_key, taught, untrained
from kdsearch.pipeline.trying_out import try_out
from kdsearch.search.auxiliary import check_larger
from kdsearch.search.rung import Rungs, is_out_of_memory
from kdsearch.search.setting import Setting
from kdsearch.teachers.make import Origin
from kdsearch.training.fit import own_randomness, train_step
from kdsearch.training.optimiser import make_optimiser


def student_architecture(context: Context) -> Architecture:
    """The config's student of the space; empty for a network brought along."""
    student, space = context.config.student, context.space.space
    if student.network != "family":
        return Architecture(())
    if isinstance(student.architecture, str):
        ends = {"smallest": space.smallest, "largest": space.largest}
        return Architecture.of(ends[student.architecture]())
    return Architecture.of(student.architecture)


def student_origin(context: Context) -> Origin | None:
    """Where a network brought along comes from; None for a student of the space."""
    it = context.config.student
    if it.network == "family":
        return None
    view = it.input
    return Origin(
        network=it.network,
        family=context.space.family,
        architecture={},
        weights=it.weights,
        size=None if view is None else view.size,
        mean=None if view is None or view.mean is None else list(view.mean),
        std=None if view is None or view.std is None else list(view.std),
        taps=None if it.taps is None else list(it.taps),
    )


class Classroom(NamedTuple):
    """The results of the stages before a lesson."""

    data: Path
    info: DataInfo
    teacher: Path | None


def classroom(context: Context) -> Classroom:
    data, info = prepared(context)
    try_out(context, info)
    teacher = taught(context, data, info)
    context.run.link("data", data)
    if teacher is not None:
        context.run.link("teacher", teacher)
    return Classroom(data, info, teacher)


def lesson_setting(context: Context, room: Classroom, recipes: Iterable[Recipe]) -> Setting:
    """Students start with fresh weights and are taught once, to the end.

    Raises:
        UserError: a recipe needs a teacher, and there is none.
    """
    config, (data, info, network) = context.config, room
    plan = distill_plan(context, info)
    for recipe in recipes if network is None else ():
        needs = method_of(recipe).needs
        if needs.teacher:
            raise UserError(
                f"method '{recipe.method}' needs a teacher; set teacher.training: plain"
            )
        if needs.online is not None:
            network = untrained(context, data, info)
    return Setting(
        data=str(data.resolve()),
        supernet=None,
        teacher=None if network is None else str(network.resolve()),
        family=context.space.family,
        space=context.space.space,
        plan=plan,
        fractions=(1.0,),
        device=context.device,
        threads=config.threads,
        store=str(context.store.root.resolve()),
        student=student_origin(context),
    )


def check_lessons(
    setting: Setting, architecture: Architecture, recipes: Iterable[Recipe]
) -> None:
    """Puts each lesson together once, before hours go into the others, and takes a step of
    those in which somebody else's code takes part.

    Raises:
        UserError: the student cannot be built, or a method not teach it with this teacher.
    """
    work = Rungs(setting, Silent())
    job = Job("check", 1, architecture, None, 0, "")
    work.student(job)
    for recipe in recipes:
        elsewhere = bool(setting.student or written_elsewhere(recipe.method))
        try:
            check_lesson(work, job, method_of(recipe), steps=int(elsewhere))
        except UserError as error:
            raise UserError(f"method '{recipe.method}': {error}") from error
        except Exception as error:
            if is_out_of_memory(error):
                continue  # its own runs say so, the others go on
            if not elsewhere:
                raise
            words = " ".join(f"{type(error).__name__}: {error}".split())
            raise UserError(
                f"method '{recipe.method}' cannot take a step with this student: {words}"
            ) from error


def check_lesson(work: Rungs, job: Job, method: Method, steps: int) -> None:
    if method.needs.auxiliary is not None:
        check_larger(work.setting, method.needs.auxiliary)
        return
    task, plan = work.task(job, method), replace(work.setting.plan, steps=steps)
    with own_randomness():
        optimiser = make_optimiser(task.module.train(), plan)
        for batch in work.feed.batches(plan, task.shows, 0, steps):
            train_step(task, batch, optimiser, plan)


def lesson_key(setting: Setting, architecture: Architecture, info: DataInfo) -> str:
    """Names all that the lessons of a setting depend on, but the recipe and the seed."""
    origin = setting.student
    key: dict[str, Any] = {
        "version": 1,
        "space": {"family": identity(setting.family), "axes": as_plain(setting.space)},
        "data": info.fingerprint,
        "teacher": None if setting.teacher is None else Path(setting.teacher).name,
        "plan": asdict(setting.plan),
        "architecture": architecture.as_dict(),
    }
    if origin is not None:
        key["origin"] = asdict(origin) | {"source": source_key(origin, None)}
        if origin.weights and Path(origin.weights).exists():
            key["origin"]["weights"] = file_hash(Path(origin.weights))
    return content_hash(key)

"""Verb `compare-teachers`: kinds of teachers, compared by the students that each taught.

For every seed a teacher of each kind is trained, from the same weights on the same images in
the same order; then each teaches the same students, which start from the same weights, too. So
kinds are compared in pairs. Scores are on the search-validation images; the test stays closed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import kdsearch
from kdsearch.config import Config, resolved_yaml
from kdsearch.config.recipes import recipe_of
from kdsearch.core.progress import Progress
from kdsearch.core.records import Architecture, Recipe
from kdsearch.core.seeds import derive
from kdsearch.data.records import DataInfo
from kdsearch.distill.kinds import method_of, written_elsewhere
from kdsearch.errors import TrainingError, UserError
from kdsearch.files import read_json, write_json, write_text
from kdsearch.measure.fingerprint import processor
from kdsearch.nets.kinds import identity
from kdsearch.pipeline.agreement import agreement
from kdsearch.pipeline.arms import Arm, arms_of
from kdsearch.pipeline.audit import one_phase
from kdsearch.pipeline.context import Context, open_context, training_threads
from kdsearch.pipeline.data import prepared
from kdsearch.pipeline.heartbeat import Heartbeat
from kdsearch.pipeline.jobs import execute
from kdsearch.pipeline.lessons import Classroom, check_lessons, lesson_setting
from kdsearch.pipeline.pupils import pupils
from kdsearch.pipeline.table import table
from kdsearch.pipeline.teacher import taught
from kdsearch.pipeline.teachers_compared import Lesson, Records, Term, rows, student_rows
from kdsearch.pipeline.trying_out import try_out
from kdsearch.report.teacher_tables import failures, lead, tables
from kdsearch.report.teachers import page
from kdsearch.rundir import RunDir
from kdsearch.search.rung import stored_result
from kdsearch.search.setting import Setting
from kdsearch.search.source import LASTING
from kdsearch.search.teachers import Chosen, Lessons

VERSION = 1
USUAL, WITHOUT_TEACHER = "soften", "hard"
CONTENT, PAGE = "teachers.json", "teachers.html"


class Asked(NamedTuple):
    kinds: Sequence[str]
    """As `arms.names_of` gives them."""
    students: str
    """How many, or the file that lists them."""
    seeds: int
    specialised: bool = False
    """Whether every student gets a student-friendly teacher of its own, too."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What all teachers and students of a comparison share."""

    context: Context
    data: Path
    info: DataInfo
    recipe: Recipe
    chosen: Chosen


def compare_teachers(
    config: Config, out: Path, progress: Progress, asked: Asked
) -> dict[str, Any]:
    """Trains what is not there yet, and gives the content of teachers.json.

    Raises:
        UserError: the config, the data, a kind of teacher or the students will not do.
        SearchError: jobs failed again and again.
    """
    if asked.seeds < 1:
        raise UserError(f"--seeds {asked.seeds}: needs at least 1; 3 or more give intervals")
    rundir = RunDir(out)
    with rundir.writing(), training_threads(config.threads):
        context = open_context(config, out, Heartbeat(progress, rundir.progress))
        chosen = pupils(asked.students, context.space.space, config.seed)
        arms = arms_of(config, asked.kinds, chosen.held_out, specialised=asked.specialised)
        recipe = recipe_of_students(config)
        write_text(rundir.config, resolved_yaml(config))
        data, info = prepared(context)
        try_out(context, info)
        ground = Ground(context, data, info, recipe, chosen)
        records: Records = {arm.name: [] for arm in arms}
        for number in range(asked.seeds):
            for arm in arms:
                records[arm.name].append(term(ground, arm, number))
        content = content_of(ground, arms, records, asked.seeds)
        write_json(rundir.root / CONTENT, content)
        write_text(rundir.root / PAGE, page(content, rundir.root.resolve().name))
    return content


def recipe_of_students(config: Config) -> Recipe:
    """The config's one method, or the usual one where it leaves a choice.

    Raises:
        UserError: a method that learns from no teacher, or whose students ship with more.
    """
    names = config.distill.names
    recipe = recipe_of(config.distill, names[0] if len(names) == 1 else USUAL)
    needs = method_of(recipe).needs
    if not needs.teacher:
        raise UserError(
            f"distill.methods: '{recipe.method}' learns nothing from a trained teacher; set "
            f"distill.methods: [{USUAL}]"
        )
    if needs.deploy is not None:
        raise UserError(
            f"distill.methods: '{recipe.method}' changes the network that ships; set "
            f"distill.methods: [{USUAL}]"
        )
    return recipe


def term(ground: Ground, arm: Arm, number: int) -> Term:
    """What a kind's students of one seed came to; a teacher that diverged has none."""
    found = Term()
    for students, folder in classes(ground, arm, number):
        if isinstance(folder, TrainingError):
            found.failed.append(f"teacher, seed {number}: {folder}")
            continue
        lessons, setting = lessons_of(ground, arm, number, folder)
        learn(ground.context, setting, lessons, students)
        known = agreement(setting, lessons, students)
        if folder is not None:
            facts = read_json(folder / "teacher.json")
            found.teachers.append({**facts, "train_accuracy": known.train_accuracy})
        for student in students:
            result = stored_result(lessons.job(student))
            assert result is not None
            divergence = known.divergences.get(student.id)
            found.lessons[student.id] = Lesson(
                result.accuracy if result.state == "done" else None, divergence, result.seconds
            )
            if result.state != "done":
                found.failed.append(f"student {student.id}, seed {number}: {result.reason}")
    return found


def classes(
    ground: Ground, arm: Arm, number: int
) -> Iterator[tuple[Sequence[Architecture], Path | TrainingError | None]]:
    """Students with the teacher they share, trained before they are given."""
    students, context = ground.chosen.students, ground.context
    groups = [[student] for student in students] if arm.is_specialised else [students]
    seed = derive(context.config.seed, "teachers", number)
    for group in groups:
        config = arm.config_for(group[0], seed)
        if config is None:
            yield group, None
            continue
        context.progress.say(f"{arm.name}, seed {number}")
        try:
            yield group, taught(replace(context, config=config), ground.data, ground.info)
        except TrainingError as error:
            yield group, error


def lessons_of(
    ground: Ground, arm: Arm, number: int, teacher: Path | None
) -> tuple[Lessons, Setting]:
    """In the store, by all that they depend on but student and seed."""
    context, info = ground.context, ground.info
    recipe = Recipe.of(WITHOUT_TEACHER, {}) if teacher is None else ground.recipe
    room = Classroom(ground.data, info, teacher)
    setting = replace(lesson_setting(context, room, [recipe]), student=None)
    key = {
        "version": VERSION,
        "data": info.fingerprint,
        "family": identity(setting.family),
        "teacher": None if teacher is None else teacher.name,
        "plan": asdict(setting.plan),
        "recipe": recipe.as_dict(),
        "sources": written_elsewhere(recipe.method),
    }
    folder = context.store.folder("lessons", key)
    return Lessons(arm.name, number, context.config.seed, recipe, folder), setting


def learn(
    context: Context, setting: Setting, lessons: Lessons, students: Sequence[Architecture]
) -> None:
    """Has the students taught that are not yet."""
    jobs = lessons.jobs(students)
    left = [j for j in jobs if (r := stored_result(j)) is None or r.state not in LASTING]
    if not left:
        return
    check_lessons(setting, left[0].architecture, [lessons.recipe])
    with context.timed("compare-teachers"):
        execute(context, setting, one_phase(left))


def content_of(
    ground: Ground, arms: Sequence[Arm], records: Records, seeds: int
) -> dict[str, Any]:
    context, info = ground.context, ground.info
    plan = context.plan(context.config.distill, "distill", info.counts["train"])
    students = student_rows(context, info, ground.chosen)
    return {
        "schema": 1,
        "kdsearch_version": kdsearch.__version__,
        "data": {"name": info.name, "hash": info.fingerprint, "counts": info.counts},
        "space": context.space.name,
        "recipe": ground.recipe.as_dict(),
        "plan": {
            "epochs": context.config.distill.epochs,
            "steps": plan.steps,
            "batch_size": plan.batch_size,
        },
        "teacher_epochs": context.config.teacher.epochs,
        "seeds": seeds,
        "device": processor() if context.device == "cpu" else context.device,
        "students": students,
        "kinds": rows(arms, records, students),
    }


def text(content: Mapping[str, Any]) -> str:
    """The comparison for a person."""
    parts = [lead(content)]
    for one in tables(content):
        parts += ["", one.title, table(one.rows, one.headers)]
    return "\n".join([*parts, *(f"failed: {line}" for line in failures(content))])

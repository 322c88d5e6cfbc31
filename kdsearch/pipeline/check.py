"""Verb `check`: reads the data, tries every part for a moment, says what a run will take."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any

import torch
from torch import nn

from kdsearch.config import Config, resolved_yaml
from kdsearch.config.vary import taught_methods
from kdsearch.core.progress import Progress
from kdsearch.core.quantities import duration
from kdsearch.core.records import Architecture
from kdsearch.data.load import load_search
from kdsearch.data.records import DataInfo
from kdsearch.distill.hard import Hard
from kdsearch.distill.kinds import kind
from kdsearch.distill.method import Method
from kdsearch.measure.size import params
from kdsearch.nets.brought import Brought, fit_head
from kdsearch.nets.kinds import family_of
from kdsearch.pipeline.bank import driver_plan
from kdsearch.pipeline.context import Context, open_context, training_threads
from kdsearch.pipeline.data import prepared
from kdsearch.pipeline.disk import Assumed, Disk, disk
from kdsearch.pipeline.disk import words as disk_words
from kdsearch.pipeline.further_teachers import each_teacher
from kdsearch.pipeline.supernet import brings_up, supernet_task
from kdsearch.pipeline.targets import words as target_words
from kdsearch.pipeline.teacher import origin_of
from kdsearch.pipeline.trying_out import try_out
from kdsearch.pipeline.trying_scores import try_out_scores
from kdsearch.pipeline.trying_search import try_out_search
from kdsearch.pipeline.trying_targets import profile
from kdsearch.teachers.make import build_network
from kdsearch.teachers.training import Course
from kdsearch.training.distillation import Distillation, Lesson, frozen
from kdsearch.training.feed import Feed
from kdsearch.training.fit import own_randomness, train_step
from kdsearch.training.optimiser import make_optimiser
from kdsearch.training.plan import Plan
from kdsearch.training.served import STORED, is_served
from kdsearch.training.task import Task

TIMED_STEPS = 3
SCREENED_SHARE = 0.5
"""Share of the trials that is expected to pass the screen of rung 0."""
SECONDS_PER_SCREEN = 0.3
"""Rung 0 of a trial and its latency, roughly."""


@dataclass(frozen=True, slots=True)
class Expected:
    seconds: dict[str, float]
    """By stage."""
    disk: Disk
    targets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By name what each is, and what the space's ends take there; see `trying_targets`."""


def check(config: Config, out: Path, progress: Progress) -> tuple[str, Expected]:
    """The resolved config as YAML, and what the run is expected to take.

    Raises:
        UserError: anything a run would refuse.
    """
    context = open_context(config, out, progress)
    if not context.run.front.exists():
        try_out_search(context)
    with training_threads(config.threads):
        return resolved_yaml(config), expected(context)


def expected(context: Context) -> Expected:
    """Times a few steps of each kind on the real data; reads (and keeps) the data for it."""
    data, info = prepared(context)
    try_out(context, info)
    try_out_scores(context, info)
    feed = Feed(load_search(data).train.to(context.device), info)
    shares = family_of(context.space.family).shares_weights
    passing = SCREENED_SHARE if shares else 1.0
    guides = [blank_teacher(one, feed) for one in each_teacher(context)]
    seconds = {
        "teacher": teacher_seconds(context, feed),
        "supernet": supernet_seconds(context, feed, guides[0]) if shares else 0.0,
        **student_seconds(context, feed, guides, passing),
    }
    room = disk(context, info, assumed(context, feed, guides))
    return Expected(seconds, room, profile(context, info))


def teacher_seconds(context: Context, feed: Feed) -> float:
    """Of networks of the largest student's size that learn from labels, one a teacher."""
    build: Callable[[], Task]
    seconds = 0.0
    for one in each_teacher(context):
        config = one.config.teacher
        if config.training != "none":
            plan = one.plan(config, "teacher", feed.info.counts["train"])
            build = partial(largest_student, one, feed, plan, Hard(), None)
            seconds += plan.steps * step_seconds(one, feed, build, plan)
    return seconds


def supernet_seconds(context: Context, feed: Feed, guide: nn.Module) -> float:
    plan = context.plan(context.config.supernet, "supernet", feed.info.counts["train"])
    config = context.config.teacher
    untaught = config.training == "none" and config.network == "family"
    asked = None if untaught and not brings_up(context) else guide

    def build() -> Task:
        return supernet_task(context, feed, asked, {})[0]

    return plan.steps * step_seconds(context, feed, build, plan)


def student_seconds(
    context: Context, feed: Feed, guides: Sequence[nn.Module], passing: float
) -> dict[str, float]:
    """Of the search and of the finalists, by the mean over the methods, which draws do, too,
    and within a method over the teachers that it may learn from."""
    config, learning = context.config, taught_methods(context.config)
    plan = context.plan(config.distill, "distill", feed.info.counts["train"])
    taught = []
    for name in config.distill.names:
        with_each = []
        for guide in guides if name in learning else guides[:1]:
            build = partial(largest_student, context, feed, plan, kind(name).make(), guide)
            with_each.append(step_seconds(context, feed, build, plan))
        taught.append(mean(with_each))
    top = mean(taught) / 2 * plan.steps
    climbing = config.search.rungs[-2] * passing
    return {
        "search": config.search.trials * (SECONDS_PER_SCREEN + climbing * top),
        "finalists": config.finalists.count * config.finalists.seeds * top,
    }


def assumed(context: Context, feed: Feed, guides: Sequence[nn.Module]) -> Assumed:
    """What is stored beside supernet and students."""
    plan = driver_plan(context, feed.info)
    own = params(largest(context, feed.info))
    methods = [kind(name).make() for name in context.config.distill.names]
    tasks = (largest_student(context, feed, plan, one, guides[0]) for one in methods)
    beside = mean(params(task.module) - own for task in tasks)
    kept = [
        guide
        for guide, one in zip(guides, each_teacher(context), strict=True)
        if one.config.teacher.training != "none" or one.config.teacher.network != "family"
    ]
    is_banked = any(is_served(method.needs) for method in methods)
    told = said(kept[0], feed) if kept and is_banked else 0
    return Assumed(sum(map(params, kept)), beside, told)


def said(guide: nn.Module, feed: Feed) -> int:
    """Numbers that a teacher says of one image, of those that are stored."""
    out = frozen(guide, feed.sample(1).images)
    parts = (getattr(out, part) for part in STORED)
    return sum(part[0].numel() for part in parts if part is not None)


def step_seconds(context: Context, feed: Feed, build: Callable[[], Task], plan: Plan) -> float:
    """The fastest of a few steps."""
    task = build()
    task.module.to(context.device).to(memory_format=torch.channels_last).train()
    optimiser = make_optimiser(task.module, plan)
    seconds = []
    with own_randomness():
        torch.manual_seed(0)
        for batch in feed.batches(plan, task.shows, 0, min(TIMED_STEPS, plan.steps)):
            started = time.perf_counter()
            train_step(task, batch, optimiser, plan)
            seconds.append(time.perf_counter() - started)
    return min(seconds)


def largest_student(
    context: Context, feed: Feed, plan: Plan, method: Method, teacher: nn.Module | None
) -> Task:
    """The task of the space's largest student."""
    net = largest(context, feed.info).to(context.device)
    sample = feed.sample(plan.batch_size)
    lesson = Lesson(net, method, teacher)
    return Distillation(lesson, sample, precision=context.precision, seed=0)


def largest(context: Context, info: DataInfo) -> nn.Module:
    architecture = Architecture.of(context.space.space.largest())
    family = family_of(context.space.family)
    return family.student(architecture, info.channels, len(info.classes))


def blank_teacher(context: Context, feed: Feed) -> nn.Module:
    """A network that takes as long as the teacher; what it says does not matter here."""
    plan = context.plan(context.config.teacher, "teacher", feed.info.counts["train"])
    origin = replace(origin_of(context), weights=None)
    course = Course(feed, plan, Path(), context.progress)
    network = build_network(origin, course, None)
    if isinstance(network, Brought):
        fit_head(network, len(feed.info.classes))
    return network.requires_grad_(False).to(context.device).eval()


def words(found: Expected) -> list[str]:
    """The expectation as lines for a person; it is an estimate and says so."""
    parts = ", ".join(f"{name} {duration(s)}" for name, s in found.seconds.items())
    total = duration(sum(found.seconds.values()))
    return [
        f"time expected, roughly: {total} ({parts})",
        *disk_words(found.disk),
        *target_words(found.targets),
    ]

"""Verb `check`: reads the data, tries every part for a moment, says what a run will take."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import mean

import torch
from torch import nn

from kdsearch.config import Config, resolved_yaml
from kdsearch.core.paths import Weights
from kdsearch.core.progress import Progress
from kdsearch.core.quantities import count, duration
from kdsearch.core.records import Architecture
from kdsearch.data.load import load_search
from kdsearch.distill.hard import Hard
from kdsearch.distill.kinds import kind
from kdsearch.distill.method import Method
from kdsearch.measure.size import params
from kdsearch.nets.brought import Brought, fit_head
from kdsearch.nets.kinds import family_of
from kdsearch.pipeline.context import Context, open_context, training_threads
from kdsearch.pipeline.data import prepared
from kdsearch.pipeline.supernet import brings_up, supernet_task
from kdsearch.pipeline.teacher import origin_of
from kdsearch.pipeline.trying_out import try_out
from kdsearch.teachers.make import build_network
from kdsearch.teachers.training import Course
from kdsearch.training.distillation import Distillation, Lesson
from kdsearch.training.feed import Feed
from kdsearch.training.fit import own_randomness, train_step
from kdsearch.training.optimiser import make_optimiser
from kdsearch.training.plan import Plan
from kdsearch.training.task import Task

TIMED_STEPS = 3
SCREENED_SHARE = 0.5
"""Share of the trials that is expected to pass the screen of rung 0."""
SECONDS_PER_SCREEN = 0.3
"""Rung 0 of a trial and its latency, roughly."""
COPIES = 3
"""Of the weights in a checkpoint: themselves, momentum, average."""


@dataclass(frozen=True, slots=True)
class Expected:
    seconds: dict[str, float]
    """By stage."""
    bytes: float


def check(config: Config, out: Path, progress: Progress) -> tuple[str, Expected]:
    """The resolved config as YAML, and what the run is expected to take.

    Raises:
        UserError: anything a run would refuse.
    """
    context = open_context(config, out, progress)
    with training_threads(config.threads):
        return resolved_yaml(config), expected(context)


def expected(context: Context) -> Expected:
    """Times a few steps of each kind on the real data; reads (and keeps) the data for it."""
    data, info = prepared(context)
    try_out(context, info)
    feed = Feed(load_search(data).train.to(context.device), info)
    config, classes = context.config, len(info.classes)
    space, family = context.space.space, family_of(context.space.family)

    def step_seconds(build: Callable[[], Task], plan: Plan) -> float:
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

    def student(method: Method, teacher: nn.Module | None = None) -> Task:
        net = family.student(largest, info.channels, classes).to(context.device)
        sample = feed.sample(short.batch_size)
        lesson = Lesson(net, method, teacher)
        return Distillation(lesson, sample, precision=context.precision, seed=0)

    def supernet() -> Task:
        odds: Weights = {}
        return supernet_task(context, feed, guide if has_teacher else None, odds)[0]

    largest = Architecture.of(space.largest())
    images = info.counts["train"]
    teacher = context.plan(config.teacher, "teacher", images)
    shared = context.plan(config.supernet, "supernet", images)
    short = context.plan(config.distill, "distill", images)
    guide = blank_teacher(context, feed, teacher)
    untaught = config.teacher.training == "none" and config.teacher.network == "family"
    has_teacher = not untaught or brings_up(context)
    taught = [
        step_seconds(partial(student, kind(name).make(), guide), short)
        for name in config.distill.names
    ]
    top = mean(taught) / 2 * short.steps
    passing = SCREENED_SHARE if family.shares_weights else 1.0
    climbing = config.search.rungs[-2] * passing
    seconds = {
        "teacher": teacher.steps * step_seconds(partial(student, Hard()), teacher),
        "supernet": shared.steps * step_seconds(supernet, shared)
        if family.shares_weights
        else 0.0,
        "search": config.search.trials * (SECONDS_PER_SCREEN + climbing * top),
        "finalists": config.finalists.count * config.finalists.seeds * top,
    }
    if config.teacher.training == "none":
        seconds["teacher"] = 0.0
    weights = 4.0 * params(family.student(largest, info.channels, classes))
    pixels = sum(info.counts[p] for p in ("train", "search_val", "test"))
    stored = pixels * info.channels * info.size**2
    checkpoints = config.search.trials * passing * COPIES * weights / 2
    return Expected(seconds, stored + (COPIES + 1) * weights + checkpoints)


def blank_teacher(context: Context, feed: Feed, plan: Plan) -> nn.Module:
    """A network that takes as long as the teacher; what it says does not matter here."""
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
        f"disk expected, roughly: {count(found.bytes)}B",
    ]

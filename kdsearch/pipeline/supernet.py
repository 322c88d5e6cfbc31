"""Stage `supernet`: every student of the space in one set of weights."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from kdsearch.config.models import Distill
from kdsearch.config.recipes import recipe_of
from kdsearch.core.paths import Weights
from kdsearch.core.progress import Silent
from kdsearch.core.records import Architecture
from kdsearch.core.seeds import derive
from kdsearch.core.space import Space
from kdsearch.data.load import load_search
from kdsearch.data.records import DataInfo
from kdsearch.distill.kinds import method_of, written_elsewhere
from kdsearch.files import read_json, write_bytes, write_json
from kdsearch.measure.size import macs
from kdsearch.nets.kinds import family_of
from kdsearch.nets.stored import kept_weights
from kdsearch.pipeline.context import Context
from kdsearch.pipeline.teacher import untrained
from kdsearch.search.rung import CHECKPOINT
from kdsearch.supernet.policies import POLICIES
from kdsearch.supernet.policies.policy import Terms
from kdsearch.supernet.shrink import fit_sorting
from kdsearch.supernet.teaching import TARGETS, Teaching
from kdsearch.supernet.train import Sampling, SupernetTask
from kdsearch.teachers.make import load_teacher
from kdsearch.teachers.training import Course
from kdsearch.training.checkpoint import Progressed
from kdsearch.training.feed import Feed
from kdsearch.training.fit import Telling, fit
from kdsearch.training.plan import Plan

VERSION = 2
USUAL, WITHOUT_TEACHER = "soften@weight=0.5", "hard"
"""How the largest student is taught unless the config says."""
SAME = "same"


def trained(context: Context, data: Path, info: DataInfo, teacher: Path | None) -> Path | None:
    """The supernet's folder, trained from the frozen teacher (or labels alone); None where
    the family shares no weights.
    """
    config, space = context.config.supernet, context.space
    if not family_of(space.family).shares_weights:
        context.progress.say(f"supernet: none, {space.family} shares no weights")
        return None
    if teacher is None and brings_up(context):
        teacher = untrained(context, data, info)
    plan = supernet_plan(context, info)
    rule: dict[str, Any] = {
        "policy": config.policy,
        "randoms": config.random_paths,
        "targets": config.targets,
        "reduction": config.reduction,
        "order": list(config.shrink),
        "until": config.shrink_until if config.shrink else None,
        "recipes": recipes(context, taught=teacher is not None),
        "average": config.average,
        "sort_channels": config.sort_channels,
        "seed": derive(context.config.seed, "paths"),
    }
    key: dict[str, Any] = {
        "version": VERSION,
        "data": info.fingerprint,
        "teacher": None if teacher is None else teacher.name,
        "family": space.family,
        "space": as_plain(space.space),
        "plan": asdict(plan),
        "rule": rule,
        "sources": sources(context),
    }

    def make(folder: Path) -> None:
        with context.timed("supernet"):
            feed = Feed(load_search(data).train.to(context.device), info)
            course = Course(feed, plan, Path(), Silent())
            guide = None if teacher is None else load_teacher(teacher, course, context.given)
            task, net = supernet_task(context, feed, guide, learned(teacher))
            tell, checkpoint = Telling(context.progress, "supernet"), folder / CHECKPOINT
            if config.sort_channels:
                done = fit_sorting(task, feed, plan, checkpoint, tell)
            else:
                until = plan.steps
                done = fit(task, feed, plan, until=until, checkpoint=checkpoint, tell=tell)
            if config.average:
                load_average(net, done)
            write_bytes(folder / "supernet.safetensors", kept_weights(net))
            write_json(folder / "supernet.json", {"curve": done.curve})
            (folder / CHECKPOINT).unlink(missing_ok=True)

    return context.store.build("supernet", key, make, processes=context.processes)


def supernet_plan(context: Context, info: DataInfo) -> Plan:
    config = context.config.supernet
    plan = context.plan(config, "supernet", info.counts["train"])
    return replace(plan, clip_value=config.clip_value, rollbacks=config.rollbacks)


def supernet_task(
    context: Context, feed: Feed, guide: nn.Module | None, odds: Weights | None
) -> tuple[SupernetTask, nn.Module]:
    """The task with fresh weights, and the supernet in it.

    Args:
        odds: how often a policy that was learned draws each value.

    Raises:
        UserError: a policy or method that cannot do this.
    """
    config, space, info = context.config.supernet, context.space, feed.info
    plan = supernet_plan(context, info)
    torch.manual_seed(plan.seed)
    family = family_of(space.family)
    net = family.supernet(space.space, info.channels, len(info.classes))
    shape = (info.channels, info.size, info.size)

    def cost(student: Architecture) -> float:
        with torch.device("meta"):
            return macs(family.student(student, info.channels, len(info.classes)), shape)

    seed = derive(context.config.seed, "paths")
    terms = Terms(space.space, config.random_paths, seed, odds, cost)
    policy = POLICIES[config.policy](terms)
    sampling = Sampling(space.space, policy, seed, config.shrink, config.shrink_until)
    texts = recipes(context, taught=guide is not None)
    method, others = (
        None if text == SAME else method_of(recipe_of(Distill(), text))
        for text in texts.values()
    )
    assert method is not None
    teaching = Teaching(method, others, TARGETS[config.targets], config.reduction)
    sample = feed.sample(plan.batch_size)
    net.to(context.device)
    task = SupernetTask(net, guide, sampling, teaching, sample, precision=context.precision)
    return task, net


def recipes(context: Context, *, taught: bool) -> dict[str, str]:
    """How the largest student and all others are taught, in words."""
    config = context.config.supernet
    usual = USUAL if taught else WITHOUT_TEACHER
    return {"method": config.method or usual, "others": config.others}


def brings_up(context: Context) -> bool:
    """Whether the supernet's method learns its teacher beside the students."""
    text = context.config.supernet.method
    return text is not None and method_of(recipe_of(Distill(), text)).needs.online is not None


def sources(context: Context) -> list[str]:
    """Texts of somebody else's methods that take part."""
    texts = [text for text in recipes(context, taught=True).values() if text != SAME]
    return [s for text in texts for s in written_elsewhere(recipe_of(Distill(), text).method)]


def learned(teacher: Path | None) -> Weights | None:
    """The distribution over paths that a generic teacher has learnt."""
    known = {} if teacher is None else read_json(teacher / "teacher.json")
    if not known.get("paths"):
        return None
    return {axis: dict(odds) for axis, odds in known["paths"].items()}


def load_average(net: nn.Module, done: Progressed) -> None:
    """Puts the running average of the weights into the supernet."""
    own: dict[str, Tensor] = {
        name.removeprefix("supernet."): value
        for name, value in done.average.items()
        if name.startswith("supernet.")
    }
    net.load_state_dict(own, strict=False)


def as_plain(space: Space) -> dict[str, list[Any]]:
    """A space of choices as JSON."""
    return {name: list(values) for name, values in space.choices().items()}

"""Stage `supernet`: every student of the space in one set of weights."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from kdsearch.core.progress import Silent
from kdsearch.core.seeds import derive
from kdsearch.core.space import Space
from kdsearch.data.load import load_search
from kdsearch.data.records import DataInfo
from kdsearch.files import write_bytes, write_json
from kdsearch.nets import FAMILIES
from kdsearch.nets.stored import kept_weights
from kdsearch.pipeline.context import Context
from kdsearch.search.rung import CHECKPOINT
from kdsearch.supernet.train import Sandwich, SupernetTask
from kdsearch.teachers.make import load_teacher
from kdsearch.teachers.training import Course
from kdsearch.training.feed import Feed
from kdsearch.training.fit import Telling, fit

VERSION = 1


def trained(context: Context, data: Path, info: DataInfo, teacher: Path | None) -> Path:
    """The supernet's folder, trained from the frozen teacher (or labels alone)."""
    config, space = context.config.supernet, context.space
    plan = context.plan(config, "supernet", info.counts["train"])
    rule = Sandwich(
        space.space,
        config.random_paths,
        config.targets,
        derive(context.config.seed, "paths"),
    )
    key: dict[str, Any] = {
        "version": VERSION,
        "data": info.fingerprint,
        "teacher": None if teacher is None else teacher.name,
        "family": space.family,
        "space": as_plain(space.space),
        "plan": asdict(plan),
        "rule": {"randoms": rule.randoms, "targets": rule.targets, "seed": rule.seed},
    }

    def make(folder: Path) -> None:
        with context.timed("supernet"):
            feed = Feed(load_search(data).train.to(context.device), info)
            course = Course(feed, plan, Path(), Silent())
            guide = None if teacher is None else load_teacher(teacher, course, context.given)
            torch.manual_seed(plan.seed)
            family = FAMILIES[space.family]
            net = family.supernet(space.space, info.channels, len(info.classes))
            task = SupernetTask(
                net.to(context.device),
                guide,
                rule,
                classes=len(info.classes),
                precision=context.precision,
            )
            done = fit(
                task,
                feed,
                plan,
                until=plan.steps,
                checkpoint=folder / CHECKPOINT,
                tell=Telling(context.progress, "supernet"),
            )
            write_bytes(folder / "supernet.safetensors", kept_weights(net))
            write_json(folder / "supernet.json", {"curve": done.curve})
            (folder / CHECKPOINT).unlink()

    return context.store.build("supernet", key, make)


def as_plain(space: Space) -> dict[str, list[Any]]:
    """A space of choices as JSON."""
    return {name: list(values) for name, values in space.choices().items()}

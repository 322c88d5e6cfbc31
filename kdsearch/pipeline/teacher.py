"""Stage `teacher`: trained here, brought along, or none."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from torch import nn

from kdsearch.core.records import Architecture
from kdsearch.data.augment import normalise
from kdsearch.data.load import load_search
from kdsearch.data.records import DataInfo, Split
from kdsearch.factory import source_of
from kdsearch.files import content_hash, file_hash, read_json, write_json
from kdsearch.measure.accuracy import predict, top1
from kdsearch.measure.confidence import calibration_error, mean_entropy
from kdsearch.measure.size import macs, params
from kdsearch.nets.kinds import family_of, identity
from kdsearch.nets.stored import kept_weights
from kdsearch.pipeline.context import Context
from kdsearch.pipeline.shaping import shaping_key, shaping_of
from kdsearch.pipeline.stopwatch import clock_of, stopwatch, taken
from kdsearch.teachers.make import (
    WEIGHTS,
    Finetune,
    Origin,
    kept_in,
    kept_origin,
    load_teacher,
    make_teacher,
)
from kdsearch.teachers.training import Course
from kdsearch.training.feed import Feed

VERSION = 2
SCORED_BATCH = 500


def taught(
    context: Context, data: Path, info: DataInfo, *, called: str = "teacher"
) -> Path | None:
    """The teacher's folder; None where students learn from labels alone."""
    teacher = context.config.teacher
    if teacher.training == "none" and teacher.network == "family":
        return None
    origin = origin_of(context)
    plan = context.plan(teacher, "teacher", info.counts["train"])
    if teacher.finetune is not None and teacher.training == "none":
        steps = plan.steps // teacher.epochs * teacher.finetune.epochs
        plan = replace(plan, steps=steps, learning_rate=teacher.finetune.learning_rate)
    finetune = None if teacher.finetune is None else Finetune(teacher.finetune.freeze)
    training = teacher.training
    is_trained = training != "none" or finetune is not None
    key: dict[str, Any] = {
        "version": VERSION,
        "data": info.fingerprint,
        "origin": {**asdict(origin), "architecture": dict(origin.architecture)},
        "training": training,
        "source": source_key(origin, context.given),
        "plan": asdict(plan) if is_trained else {"precision": plan.precision},
        "finetune": None if finetune is None else asdict(finetune),
    }
    if origin.weights and Path(origin.weights).exists():
        key["origin"]["weights"] = file_hash(Path(origin.weights))
    if kept_in(origin) is not None:
        key["origin"]["network"] = "checkpoint"  # wherever it lies
    shaping = shaping_of(context)
    if shaped := shaping_key(training, shaping):
        key["shaping"] = shaped

    def make(folder: Path) -> None:
        with context.timed("teacher"):
            loaded = load_search(data)
            feed = Feed(loaded.train.to(context.device), info)
            checkpoint = folder / "checkpoint.safetensors"
            course = Course(feed, plan, checkpoint, context.progress, shaping)
            clock = clock_of(context.device)
            with stopwatch(folder, goes_on=checkpoint.exists(), clock=clock):
                make_teacher(
                    origin, training, course, folder, finetune=finetune, given=context.given
                )
            network = load_teacher(folder, course, context.given)
            course.checkpoint.unlink(missing_ok=True)
            note_scores(folder, network, loaded.search_val.to(context.device), info)

    folder = context.store.build("teacher", key, make, processes=context.processes)
    known = read_json(folder / "teacher.json")
    context.progress.say(f"{called}: {known['search_accuracy']:.1%} on search-val")
    return folder


def untrained(context: Context, data: Path, info: DataInfo) -> Path:
    """The teacher's network before any training, for methods that bring it up themselves."""
    teacher = context.config.teacher
    plan = context.plan(teacher, "teacher", info.counts["train"])
    origin = origin_of(context)
    key = {
        "version": VERSION,
        "data": info.fingerprint,
        "origin": {**asdict(origin), "architecture": dict(origin.architecture)},
        "training": "none",
        "seed": plan.seed,
        **source_key(origin, None),
    }

    def make(folder: Path) -> None:
        feed = Feed(load_search(data).train.to(context.device), info)
        make_teacher(origin, "none", Course(feed, plan, Path(), context.progress), folder)

    return context.store.build("teacher", key, make)


def note_scores(folder: Path, network: nn.Module, search_val: Split, info: DataInfo) -> None:
    """Adds to teacher.json how well the teacher does itself, and what it costs and took."""
    images = normalise(search_val.images, info.mean, info.std)
    scores = predict(network, images, SCORED_BATCH)
    shape = (info.channels, info.size, info.size)
    found = {
        "search_accuracy": top1(scores, search_val.labels),
        "calibration_error": calibration_error(scores, search_val.labels),
        "entropy": mean_entropy(scores),
        "params": params(network),
        "macs": macs(network, shape),
        "seconds": taken(folder),
    }
    known = read_json(folder / "teacher.json")
    write_json(folder / "teacher.json", {**known, **found})


def origin_of(context: Context) -> Origin:
    """Where the config's teacher comes from, as plain data."""
    teacher, space = context.config.teacher, context.space
    largest = Architecture.of(space.space.largest())
    architecture = family_of(space.family).wider(largest, teacher.width)
    view = teacher.input
    return Origin(
        network=teacher.network,
        family=space.family,
        architecture=architecture.as_dict() if teacher.network == "family" else {},
        weights=teacher.weights,
        size=None if view is None else view.size,
        mean=None if view is None or view.mean is None else list(view.mean),
        std=None if view is None or view.std is None else list(view.std),
        taps=None if teacher.taps is None else list(teacher.taps),
    )


def source_key(origin: Origin, given: nn.Module | None) -> Mapping[str, str]:
    """What the teacher is made of beyond the config: a user's source, an object's bytes."""
    if given is not None:
        return {"object": content_hash([repr(given), kept_weights(given).hex()])}
    if (folder := kept_in(origin)) is not None:
        kept = kept_origin(folder)
        weights = file_hash(folder / WEIGHTS)
        return {**source_key(kept, None), "checkpoint": weights, "kept": kept.network}
    if origin.network == "family":
        own = identity(origin.family)
        return {} if own == origin.family else {"family": own}
    kind, _, name = origin.network.partition(":")
    return {"module": content_hash(source_of(name))} if kind == "module" else {}

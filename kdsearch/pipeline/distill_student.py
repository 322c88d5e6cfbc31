"""`kdsearch.distill_student`: any two modules and a DataLoader, in one call."""

import copy
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from kdsearch.core.progress import Progress, Silent
from kdsearch.core.records import Recipe
from kdsearch.core.seeds import derive
from kdsearch.core.space import Value
from kdsearch.distill.kinds import kind, method_of
from kdsearch.errors import UserError, did_you_mean
from kdsearch.measure.accuracy import correct, predict
from kdsearch.nets.taps import Tapped, tap
from kdsearch.output import Output
from kdsearch.supernet.calibrate import calibrate
from kdsearch.training.distillation import Distillation, Lesson
from kdsearch.training.fit import Telling, fit
from kdsearch.training.loader import LoaderFeed
from kdsearch.training.plan import Plan

CALIBRATION_BATCHES = 8


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how a student is taught; SGD with Nesterov momentum, half a cosine."""

    epochs: int = 20
    learning_rate: float = 0.05
    weight_decay: float = 5e-4
    seed: int = 0
    precision: str = "float32"
    """'float32' or 'bf16'."""
    device: str | None = None
    """None: a GPU if there is one."""
    checkpoint: str | Path | None = None
    """A file to go on from after an interruption; None keeps nothing."""
    progress: Progress | None = None


@dataclass(frozen=True, slots=True)
class Distilled:
    network: nn.Module
    """The taught student, of the class that was given (unless its method ships more), in eval
    mode; the one given stays as it was."""
    curve: list[tuple[int, float]]
    """(optimiser step, mean loss since the last entry)."""

    def accuracy(self, loader: DataLoader[Any]) -> float:
        """Top-1 accuracy in [0, 1] on a loader's images."""
        device = next(self.network.parameters()).device
        hits = total = 0
        for images, labels in loader:
            scores = predict(self.network, images.to(device), len(images))
            hits += correct(scores, labels.to(device))
            total += len(labels)
        return hits / total


def distill_student(
    teacher: nn.Module | None,
    student: nn.Module,
    loader: DataLoader[Any],
    method: str = "soften",
    knobs: Mapping[str, Value] | None = None,
    **schedule: Any,
) -> Distilled:
    """Teaches a copy of `student` and returns it.

    Args:
        teacher: gives (batch, classes) logits, or an `Output`; None for methods without one.
        student: as the teacher; feature maps and pooled features are found by a probe.
        loader: of (images, labels), images normalised as both networks want them.
        method: a name that `kdsearch methods` lists, 'a+b', or module:pkg.mod:Class.
        knobs: of the method; left out, its defaults.
        schedule: see `Schedule`: epochs=30, learning_rate=0.05, seed=0, …

    Raises:
        UserError: an unknown name, or a network or loader that does not fit the method.
        TrainingError: the loss stopped being a number.
    """
    plan_of = schedule_of(schedule)
    kind(method).allowed.check(knobs or {}, whole=False)
    chosen = method_of(Recipe.of(method, knobs or {}))
    if teacher is None and (chosen.needs.teacher or chosen.needs.online):
        raise UserError(f"method '{method}' needs a teacher; pass one, or take method='hard'")
    if chosen.needs.auxiliary is not None:
        raise UserError("aux: an auxiliary teacher is for students of a space; set aux: none")
    device = plan_of.device or ("cuda" if torch.cuda.is_available() else "cpu")
    example = shown(loader).to(device)
    plan = Plan(
        steps=plan_of.epochs * len(loader),
        batch_size=len(example),
        learning_rate=plan_of.learning_rate,
        weight_decay=plan_of.weight_decay,
        seed=plan_of.seed,
        precision=plan_of.precision,
    )
    pupil = network(copy.deepcopy(student).to(device), example[:2])
    guide = None if teacher is None else network(copy.deepcopy(teacher).to(device), example[:2])
    if guide is not None:
        guide.requires_grad_(False).eval()
    feed = LoaderFeed(loader, device, classes_of(pupil, example[:2]))
    task = Distillation(
        Lesson(pupil, chosen, guide),
        feed.sample(plan.batch_size),
        precision=plan.precision,
        seed=derive(plan.seed, "parts"),
    )
    with kept(plan_of.checkpoint) as path:
        telling = Telling(plan_of.progress or Silent(), method)
        done = fit(task, feed, plan, until=plan.steps, checkpoint=path, tell=telling)
    shipped = task.shipped(done.average)
    batches = [images for images, _ in islice(feed.endless(), CALIBRATION_BATCHES)]
    calibrate(shipped, [images for images in batches if len(images) > 1])
    return Distilled(shipped.module if isinstance(shipped, Tapped) else shipped, done.curve)


def schedule_of(given: Mapping[str, Any]) -> Schedule:
    known = [field.name for field in fields(Schedule)]
    for name in given:
        if name not in known:
            raise UserError(f"unknown argument '{name}'; {did_you_mean(name, known)}")
    plan = Schedule(**given)
    if plan.epochs < 1:
        raise UserError(f"epochs = {plan.epochs}: needs at least 1")
    if plan.precision not in PRECISIONS:
        raise UserError(
            f"precision = {plan.precision!r}; {did_you_mean(str(plan.precision), PRECISIONS)}"
        )
    return plan


def shown(loader: DataLoader[Any]) -> Tensor:
    """The images of a loader's first batch."""
    batch = first_batch(loader)
    if isinstance(batch, list | tuple) and batch and isinstance(batch[0], Tensor):
        images: Tensor = batch[0]
        if images.ndim == 4 and images.is_floating_point() and len(images) > 1:
            return images
    raise UserError(f"{RULE}; it gives {outline(batch)}")


def network(module: nn.Module, example: Tensor) -> nn.Module:
    """The module, giving an Output."""
    was_training = module.training
    with torch.no_grad():
        out = module.eval()(example)
    module.train(was_training)
    return module if isinstance(out, Output) else tap(module, example)


def classes_of(student: nn.Module, example: Tensor) -> int:
    return predict(student, example, 2).shape[1]


@contextmanager
def kept(checkpoint: str | Path | None) -> Iterator[Path]:
    """The file a training goes on from, or one that is thrown away."""
    if checkpoint is not None:
        yield Path(checkpoint)
        return
    with tempfile.TemporaryDirectory(prefix="kdsearch-") as folder:
        yield Path(folder) / "checkpoint.safetensors"

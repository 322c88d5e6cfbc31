"""`kdsearch.distill_student`: any two modules and a DataLoader, in one call."""

import copy
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from kdsearch.core.progress import Silent
from kdsearch.core.records import Recipe
from kdsearch.core.seeds import derive
from kdsearch.core.space import Value
from kdsearch.distill.kinds import check_values, kind, method_of
from kdsearch.distill.method import Method, Needs
from kdsearch.errors import UserError
from kdsearch.files import content_hash, read_json, write_json
from kdsearch.measure.accuracy import correct, predict
from kdsearch.nets.taps import Tapped, tap
from kdsearch.output import Output
from kdsearch.pipeline.schedule import schedule_of, training_plan
from kdsearch.supernet.calibrate import calibrate
from kdsearch.training.distillation import Distillation, Lesson
from kdsearch.training.fit import Telling, fit, own_randomness
from kdsearch.training.learners import outlined
from kdsearch.training.loader import LoaderFeed, first_batch, images_and_labels, outline

CALIBRATION_BATCHES = 8


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
        if not total:
            raise UserError("the loader gives no batch, so there is no accuracy")
        return hits / total


@own_randomness()
def distill_student(
    teacher: nn.Module | None,
    student: nn.Module,
    loader: DataLoader[Any],
    method: str | Method = "soften",
    knobs: Mapping[str, Value] | None = None,
    **schedule: Any,
) -> Distilled:
    """Teaches a copy of `student` and returns it.

    Args:
        teacher: gives (batch, classes) logits, or an `Output`; None for methods without one.
        student: as the teacher; feature maps and pooled features are found by a probe.
        loader: of (images, labels), images normalised as both networks want them.
        method: a name that `kdsearch methods` lists, 'a+b', module:pkg.mod:Class, or a method
            object, which has its knobs already.
        knobs: of the method; left out, its defaults.
        schedule: see `kdsearch.pipeline.schedule`: epochs=30, learning_rate=0.05, seed=0, …

    Raises:
        UserError: an unknown name, or a network or loader that does not fit the method.
        TrainingError: the loss stopped being a number.
    """
    plan_of = schedule_of(schedule)
    check_modules(teacher, student)
    chosen = chosen_method(method, knobs or {})
    check_needs(chosen, teacher)
    device = plan_of.device or ("cuda" if torch.cuda.is_available() else "cpu")
    example = images_and_labels(first_batch(loader))[0].to(device)
    plan = training_plan(plan_of, len(loader), len(example))
    pupil = network("student", copy.deepcopy(student).to(device), example[:2])
    feed = LoaderFeed(loader, device, classes_of(pupil, example[:2]))
    guide = None
    if teacher is not None:
        guide = network("teacher", copy.deepcopy(teacher).to(device), example[:2])
        guide.requires_grad_(False).eval()
        check_classes(chosen, guide, example[:2], feed.classes)
    task = Distillation(
        Lesson(pupil, chosen, guide),
        feed.sample(plan.batch_size),
        precision=plan.precision,
        seed=derive(plan.seed, "parts"),
    )
    key = {
        "method": chosen.name,
        "knobs": plain_values(chosen) | dict(knobs or {}),
        "plan": asdict(plan),
        "student": outlines(student),
        "teacher": None if teacher is None else weights_hash(teacher),
    }
    with kept(plan_of.checkpoint, key) as path:
        telling = Telling(plan_of.progress or Silent(), chosen.name)
        done = fit(task, feed, plan, until=plan.steps, checkpoint=path, tell=telling)
    shipped = task.shipped(done.average)
    torch.manual_seed(derive(plan.seed, "calibration"))
    batches = [images for images, _ in islice(feed.endless(), CALIBRATION_BATCHES)]
    calibrate(shipped, [images for images in batches if len(images) > 1])
    return Distilled(shipped.module if isinstance(shipped, Tapped) else shipped, done.curve)


def check_modules(teacher: Any, student: Any) -> None:
    for who, given in (("teacher", teacher), ("student", student)):
        if not isinstance(given, nn.Module) and (given is not None or who == "student"):
            raise UserError(f"the {who} has to be an nn.Module; it is {given!r}")
    if not any(p.requires_grad for p in student.parameters()):
        raise UserError("the student has nothing to train: no parameter requires a gradient")


def check_needs(method: Method, teacher: nn.Module | None) -> None:
    if teacher is None and (method.needs.teacher or method.needs.online):
        raise UserError(
            f"method '{method.name}' needs a teacher; pass one, or take method='hard'"
        )
    if method.needs.auxiliary is not None:
        raise UserError("aux: an auxiliary teacher is for students of a space; set aux: none")


def chosen_method(method: str | Method, knobs: Mapping[str, Value]) -> Method:
    if not isinstance(knobs, Mapping):
        raise UserError(f"knobs = {knobs!r}: needs names with values, {{'temperature': 2.0}}")
    if not isinstance(method, str):
        if knobs:
            raise UserError("a method object has its knobs already; leave knobs out")
        if isinstance(method, type) or not isinstance(getattr(method, "needs", None), Needs):
            raise UserError(f"method = {method!r}: needs a name or a method object, Hard()")
        return method
    check_values(kind(method), knobs)
    return method_of(Recipe.of(method, knobs))


def network(who: str, module: nn.Module, example: Tensor) -> nn.Module:
    """The module, giving an Output.

    Raises:
        UserError: it does not run on the loader's images, or gives no row for each.
    """
    was_training = module.training
    try:
        with torch.no_grad():
            out = module.eval()(example)
    except Exception as error:
        what = f"{type(error).__name__}: {error}".partition("\n")[0]
        raise UserError(
            f"the {who} cannot run on the loader's images {tuple(example.shape[1:])}: {what}"
        ) from error
    finally:
        module.train(was_training)
    if isinstance(out, Output):
        if who == "student" and out.logits is None:
            raise UserError("the student gives no logits; put a head on it")
        return module
    if not isinstance(out, Tensor) or out.ndim != 2:
        raise UserError(
            f"the {who} has to give (batch, classes) logits; it gives {outline(out)}"
        )
    return tap(module, example)


def check_classes(method: Method, guide: nn.Module, example: Tensor, classes: int) -> None:
    """Raises UserError where a teacher whose logits are asked for tells others apart."""
    logits = outlined(guide, example).logits if "logits" in method.needs.teacher else None
    if logits is not None and logits.shape[1] != classes:
        raise UserError(
            f"the teacher tells {logits.shape[1]} classes apart, the student {classes}; "
            "give one of them another head, or take a method on features"
        )


def classes_of(student: nn.Module, example: Tensor) -> int:
    return predict(student, example, 2).shape[1]


def outlines(student: nn.Module) -> str:
    """Names a student by the shapes of all it has."""
    return content_hash([(name, list(t.shape)) for name, t in student.state_dict().items()])


def plain_values(method: Method) -> dict[str, Value]:
    """What tells two objects of a method apart."""
    own: Mapping[str, object] = getattr(method, "__dict__", {})
    return {name: v for name, v in own.items() if isinstance(v, int | float | str)}


def weights_hash(network: nn.Module) -> str:
    found = sha256()
    for name, values in network.state_dict().items():
        found.update(name.encode())
        if isinstance(values, Tensor):
            found.update(
                values.cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
            )
    return found.hexdigest()


@contextmanager
def kept(checkpoint: str | Path | None, key: Mapping[str, Any]) -> Iterator[Path]:
    """The file a training goes on from, or one that is thrown away.

    Raises:
        UserError: the file is another training's, as the note beside it says.
    """
    if checkpoint is None:
        with tempfile.TemporaryDirectory(prefix="kdsearch-") as folder:
            yield Path(folder) / "checkpoint.safetensors"
        return
    path, note = Path(checkpoint), Path(f"{checkpoint}.json")
    if path.exists() and (not note.exists() or read_json(note) != key):
        raise UserError(
            f"{path}: a checkpoint of another training (method, knobs, schedule, student "
            "or teacher differ); name another file, or remove it"
        )
    write_json(note, dict(key))
    yield path

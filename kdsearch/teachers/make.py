"""One teacher, made or brought, kept as two files: teacher.safetensors and teacher.json."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from kdsearch.core.records import Architecture
from kdsearch.core.space import Value
from kdsearch.data.augment import normalise
from kdsearch.errors import TeacherError, did_you_mean
from kdsearch.files import read_json, write_bytes, write_json
from kdsearch.measure.accuracy import predict
from kdsearch.nets import FAMILIES
from kdsearch.nets.brought import Brought, View, bring, fit_head, head_name, replace_head
from kdsearch.nets.stored import kept_weights, stored_weights
from kdsearch.teachers import SOURCES, TEACHERS
from kdsearch.teachers.training import Course, Trained
from kdsearch.training.fit import own_randomness

OBJECT = "object"
"""What `network` says for a module passed in Python: nothing can build it again."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a teacher's network comes from; plain data, enough to build it again."""

    network: str
    """'family', 'torchvision:NAME', 'module:pkg.mod:factory' or 'object'."""
    family: str
    architecture: Mapping[str, Value]
    """Of a network of the family; unused for a brought one."""
    weights: str | None = None
    size: int | None = None
    mean: Sequence[float] | None = None
    std: Sequence[float] | None = None
    taps: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Finetune:
    """A new head for a brought network; `freeze` trains the head alone."""

    freeze: bool


@own_randomness()
def make_teacher(
    origin: Origin,
    training: str,
    course: Course,
    folder: Path,
    *,
    finetune: Finetune | None = None,
    given: nn.Module | None = None,
) -> None:
    """Builds the network, trains it as `training` says, checks it, and writes it to `folder`.

    Raises:
        TeacherError: classes differ and nothing may be trained, or logits are not finite.
    """
    info = course.feed.info
    torch.manual_seed(course.plan.seed)
    network = build_network(origin, course, given)
    device = course.feed.split.images.device
    network.to(device)
    if isinstance(network, Brought):
        trained = _teach_brought(network, origin, training, course, finetune)
    else:
        trained = TEACHERS[training](network, course)
    network.eval()
    for parameter in network.parameters():
        parameter.requires_grad_(True)
    sample = course.feed.split.images[:64]
    logits = predict(network, normalise(sample, info.mean, info.std), 64)
    check_logits(logits, len(info.classes))
    write_bytes(folder / "teacher.safetensors", kept_weights(network))
    facts = {"origin": asdict(origin), "training": training, "curve": trained.curve}
    write_json(folder / "teacher.json", {**facts, **trained.facts})


def build_network(origin: Origin, course: Course, given: nn.Module | None) -> nn.Module:
    """The untrained (or brought) network of an origin."""
    info = course.feed.info
    if origin.network == "family":
        family = FAMILIES[origin.family]
        return family.student(
            Architecture.of(origin.architecture), info.channels, len(info.classes)
        )
    view = View(
        info.channels,
        tuple(info.mean),
        tuple(info.std),
        origin.size,
        None if origin.mean is None else tuple(origin.mean),
        None if origin.std is None else tuple(origin.std),
    )
    sample = normalise(course.feed.split.images[:2].cpu(), info.mean, info.std)
    module = brought_module(origin, given, len(info.classes))
    return bring(module, view, sample, origin.taps)


def brought_module(origin: Origin, given: nn.Module | None, classes: int) -> nn.Module:
    if origin.network == OBJECT:
        if given is None:
            raise TeacherError(
                "this run's teacher was a Python object: pass it again, or name it as "
                "teacher.network: module:pkg.mod:factory"
            )
        return copy.deepcopy(given).cpu()  # what is trained here is not the caller's
    kind, _, name = origin.network.partition(":")
    if kind not in SOURCES or not name:
        raise TeacherError(
            f"teacher.network '{origin.network}': {did_you_mean(kind, [*SOURCES, 'family'])}"
        )
    return SOURCES[kind](name, origin.weights, classes)


def _teach_brought(
    network: Brought, origin: Origin, training: str, course: Course, finetune: Finetune | None
) -> Trained:
    """Fits a head or the whole of a brought network, where the user asked for it."""
    info = course.feed.info
    classes = len(info.classes)
    sample = normalise(course.feed.split.images[:2], info.mean, info.std)
    logits = predict(network, sample, 2)
    trained = training != "none" or finetune is not None
    knows = origin.weights is not None or not origin.network.startswith("torchvision:")
    if not knows and not trained:
        raise TeacherError(
            f"{origin.network} without teacher.weights knows nothing; set teacher.weights, "
            "teacher.finetune or teacher.training: plain"
        )
    if logits.shape[1] != classes and not trained:
        raise TeacherError(
            f"{origin.network} tells {logits.shape[1]} classes apart, the data have {classes}; "
            "set teacher.finetune: {epochs: 5, freeze: true} to fit a new head"
        )
    if not trained:
        return Trained([])
    if logits.shape[1] != classes:
        replace_head(network, classes)
    if finetune is not None and finetune.freeze and training == "none":
        _freeze_body(network)
    done = TEACHERS["plain" if training == "none" else training](network, course)
    network.head_only = False
    return done


def _freeze_body(network: Brought) -> None:
    network.head_only = True
    head = head_name(network)
    for name, parameter in network.body.module.named_parameters():
        parameter.requires_grad_(name.startswith(f"{head}."))


def check_logits(logits: Tensor, classes: int) -> None:
    """Raises TeacherError unless there is one finite logit per class."""
    if not bool(torch.isfinite(logits).all()):
        raise TeacherError("the teacher's logits are not finite numbers; it cannot teach")
    if logits.shape[1] != classes:
        raise TeacherError(f"the teacher gives {logits.shape[1]} logits for {classes} classes")


@own_randomness()
def load_teacher(folder: Path, course: Course, given: nn.Module | None = None) -> nn.Module:
    """The frozen teacher of a folder, in eval mode, on the feed's device."""
    facts: dict[str, Any] = read_json(folder / "teacher.json")
    origin = replace(Origin(**facts["origin"]), weights=None)
    network = build_network(origin, course, given)
    state = stored_weights(folder / "teacher.safetensors")
    if isinstance(network, Brought):
        fit_head(network, len(course.feed.info.classes))
    network.load_state_dict(state)
    network.requires_grad_(False)
    return network.to(course.feed.split.images.device).eval()

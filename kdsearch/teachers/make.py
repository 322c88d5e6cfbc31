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
from kdsearch.nets.brought import Brought, View, bring, fit_head, head_name, replace_head
from kdsearch.nets.kinds import family_of
from kdsearch.nets.stored import kept_weights, stored_weights
from kdsearch.teachers import SOURCES, TEACHERS
from kdsearch.teachers.training import Course, Trained
from kdsearch.teachers.weights import load_weights
from kdsearch.training.fit import own_randomness

WEIGHTS, FACTS = "teacher.safetensors", "teacher.json"
OBJECT = "object"
"""What `network` says for a module passed in Python: nothing can build it again."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a teacher's network comes from; plain data, enough to build it again."""

    network: str
    """'family', 'torchvision:NAME', 'timm:NAME', 'module:pkg.mod:factory',
    'checkpoint:FOLDER' or 'object'."""
    family: str
    architecture: Mapping[str, Value]
    """Of a network of the family; unused for a brought one."""
    weights: str | None = None
    size: int | None = None
    mean: Sequence[float] | None = None
    std: Sequence[float] | None = None
    taps: Sequence[str] | None = None


UNTAUGHT = ("torchvision:", "timm:")
"""Networks that know nothing without weights."""


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
    write_bytes(folder / WEIGHTS, kept_weights(network))
    source = kept_in(origin)
    facts = {
        "origin": asdict(origin if source is None else kept_origin(source)),
        "training": training,
        "classes": len(info.classes),
        "channels": info.channels,
        "curve": trained.curve,
    }
    write_json(folder / FACTS, {**facts, **trained.facts})


def build_network(origin: Origin, course: Course, given: nn.Module | None) -> nn.Module:
    """The untrained (or brought) network of an origin."""
    info = course.feed.info
    if (folder := kept_in(origin)) is not None:
        return kept_network(folder, course)
    if origin.network == "family":
        family = family_of(origin.family)
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


def kept_in(origin: Origin) -> Path | None:
    """The folder of the teacher that another run made, where the origin is one."""
    kind, _, path = origin.network.partition(":")
    return Path(path) if kind == "checkpoint" else None


def kept_origin(folder: Path) -> Origin:
    """Where a teacher that another run made came from; its weights are in the folder.

    Raises:
        TeacherError: no such folder, or a teacher that cannot be built again from it.
    """
    if not (folder / FACTS).exists() or not (folder / WEIGHTS).exists():
        raise TeacherError(
            f"teacher.network: checkpoint:{folder}: no {FACTS} and {WEIGHTS} there; name the "
            "folder of a run's teacher (runs/a/teacher), or for a file of weights set "
            "network: module:pkg.mod:factory and weights"
        )
    origin = replace(Origin(**read_json(folder / FACTS)["origin"]), weights=None)
    if origin.network == OBJECT:
        raise TeacherError(
            f"checkpoint:{folder} was a Python object, which nothing can build again; pass it, "
            "or name it as teacher.network: module:pkg.mod:factory with weights"
        )
    return origin


def kept_network(folder: Path, course: Course) -> nn.Module:
    """The teacher of another run, to be used or trained on.

    Raises:
        TeacherError: see `kept_origin`; or it is made for other images.
    """
    origin, info = kept_origin(folder), course.feed.info
    known = read_json(folder / FACTS)
    wanted = {"classes": len(info.classes), "channels": info.channels}
    for name, number in wanted.items():
        if known.get(name, number) != number:
            raise TeacherError(
                f"checkpoint:{folder} was made for {known[name]} {name}, the data have "
                f"{number}; train a teacher on these data, or bring its network by name"
            )
    network = build_network(origin, course, None)
    if isinstance(network, Brought):
        fit_head(network, len(info.classes))
    load_weights(network, stored_weights(folder / WEIGHTS), folder / WEIGHTS)
    return network


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
            f"teacher.network '{origin.network}': "
            f"{did_you_mean(kind, [*SOURCES, 'family', 'checkpoint'])}"
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
    knows = origin.weights is not None or not origin.network.startswith(UNTAUGHT)
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
    facts: dict[str, Any] = read_json(folder / FACTS)
    origin = replace(Origin(**facts["origin"]), weights=None)
    network = build_network(origin, course, given)
    state = stored_weights(folder / WEIGHTS)
    if isinstance(network, Brought):
        fit_head(network, len(course.feed.info.classes))
    network.load_state_dict(state)
    network.requires_grad_(False)
    return network.to(course.feed.split.images.device).eval()

"""A brought teacher by timm's name: `timm:resnet18`, `timm:resnet18.a1_in1k`."""

from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from kdsearch.errors import TeacherError, did_you_mean
from kdsearch.teachers.weights import load_weights, read_weights

PRETRAINED = "DEFAULT"


def build(name: str, weights: str | None, classes: int) -> nn.Module:
    """The named network, with weights from a file or those that timm has for the name.

    Without weights it tells `classes` classes apart; with a file as many as the file does.

    Raises:
        TeacherError: timm is not there, an unknown name, or weights that cannot be had or do
            not fit.
    """
    timm = imported()
    kind, tag, _ = name.partition(".")
    names = timm.list_models(f"{kind}.*", pretrained=True) if tag else timm.list_models()
    if name not in names:
        near = did_you_mean(name, names or timm.list_models())
        raise TeacherError(f"timm has no network '{name}'; {near}")
    if weights is None:
        return made(timm, name, num_classes=classes)
    if weights == PRETRAINED:
        return pretrained(timm, name)
    path = Path(weights)
    state = read_weights(path)
    network = made(timm, name, num_classes=told_apart(timm, name, state, classes))
    load_weights(network, state, path)
    return network


def imported() -> Any:
    """timm, imported when it is asked for and nowhere else."""
    try:
        return import_module("timm")
    except ImportError as error:
        raise TeacherError(
            f"teacher.network: timm:NAME needs timm ({error}); pip install 'kdsearch[timm]'"
        ) from error


def pretrained(timm: Any, name: str) -> nn.Module:
    try:
        return made(timm, name, pretrained=True)
    except (OSError, RuntimeError, ValueError) as error:
        first = str(error).partition("\n")[0]
        raise TeacherError(
            f"teacher.weights: cannot fetch those of timm:{name} ({first}); "
            "download the file elsewhere and give its path"
        ) from error


def told_apart(timm: Any, name: str, state: dict[str, Tensor], classes: int) -> int:
    """Number of classes of a state dict: rows of what timm calls the classifier."""
    with torch.device("meta"):
        outline = made(timm, name)
    known: Any = outline.pretrained_cfg
    weight = state.get(f"{known.get('classifier')}.weight")
    return classes if weight is None else weight.shape[0]


def made(timm: Any, name: str, **options: Any) -> nn.Module:
    network = timm.create_model(name, **options)
    assert isinstance(network, nn.Module)
    return network

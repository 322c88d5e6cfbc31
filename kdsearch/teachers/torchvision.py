"""A brought teacher by torchvision's name: `torchvision:resnet18`."""

from pathlib import Path

import torch
from torch import nn
from torchvision.models import get_model, list_models

from kdsearch.errors import TeacherError, did_you_mean
from kdsearch.teachers.weights import load_weights, read_weights


def build(name: str, weights: str | None, classes: int) -> nn.Module:
    """The named network, with weights from a file or by torchvision's name for them.

    Without weights it tells `classes` classes apart; a file's number of classes is that of the
    network's last tensor.

    Raises:
        TeacherError: an unknown name, or weights that cannot be had or do not fit.
    """
    names = [n for n in list_models() if "." not in n and "/" not in n]
    if name not in names:
        raise TeacherError(f"torchvision has no network '{name}'; {did_you_mean(name, names)}")
    if weights is None:
        return plain(name, num_classes=classes)
    path = Path(weights)
    if path.suffix or path.exists():
        state = read_weights(path)
        with torch.device("meta"):
            last = list(plain(name).state_dict())[-1]
        found = state[last].shape[0] if last in state else classes
        network = plain(name, num_classes=found)
        load_weights(network, state, path)
        return network
    try:
        network = get_model(name, weights=weights)
    except (KeyError, ValueError) as error:
        raise TeacherError(
            f"teacher.weights: torchvision:{name} has no weights '{weights}'; "
            "use DEFAULT or the path of a file"
        ) from error
    except OSError as error:
        raise TeacherError(
            f"teacher.weights: cannot fetch '{weights}' of torchvision:{name} ({error}); "
            "download the file elsewhere and give its path"
        ) from error
    assert isinstance(network, nn.Module)
    return network


def plain(name: str, **options: int) -> nn.Module:
    network = get_model(name, weights=None, **options)
    assert isinstance(network, nn.Module)
    return network

"""A brought teacher built by the user's own function: `module:pkg.mod:factory`."""

from pathlib import Path

from torch import nn

from kdsearch.errors import TeacherError
from kdsearch.factory import find_factory
from kdsearch.teachers.weights import load_weights, read_weights


def build(name: str, weights: str | None) -> nn.Module:
    """What `factory()` returns, with weights from a file if one is named.

    Raises:
        TeacherError: the factory does not return an nn.Module, or the weights do not fit.
    """
    network = find_factory(name)()
    if not isinstance(network, nn.Module):
        raise TeacherError(
            f"module:{name} returned {type(network).__name__}; it must return an nn.Module"
        )
    if weights is not None:
        load_weights(network, read_weights(Path(weights)), Path(weights))
    return network

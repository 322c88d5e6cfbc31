"""A brought teacher built by the user's own function: `module:pkg.mod:factory`."""

from pathlib import Path

from torch import nn

from kdsearch.errors import TeacherError
from kdsearch.factory import find_factory
from kdsearch.teachers.weights import load_weights, read_weights


def build(name: str, weights: str | None, classes: int) -> nn.Module:
    """What `factory()` returns, with weights from a file if one is named.

    Raises:
        TeacherError: the factory fails or returns no nn.Module, or the weights do not fit.
    """
    factory = find_factory(name)
    try:
        network = factory()
    except Exception as error:
        raise TeacherError(
            f"module:{name} raised {type(error).__name__}: {error}; mend it: "
            "it takes no argument and returns an nn.Module"
        ) from error
    if not isinstance(network, nn.Module):
        raise TeacherError(
            f"module:{name} returned {type(network).__name__}; it must return an nn.Module"
        )
    if weights is not None:
        load_weights(network, read_weights(Path(weights)), Path(weights))
    return network

"""The same network before any training: for teachers that learn together with students."""

import copy
import math

import torch
from torch import nn

from kdsearch.errors import TeacherError


def fresh(network: nn.Module) -> nn.Module:
    """A copy whose every parameter is drawn anew, from torch's global generator.

    Calls `reset_parameters` of every module that has one, children first, so that a
    network's own word is the last. A network without one starts as its layers do by
    themselves, which need not be what its constructor adds to that (torchvision's ResNet).

    Raises:
        TeacherError: no `reset_parameters` reaches some parameter.
    """
    copied = copy.deepcopy(network)
    copied.zero_grad()
    with torch.no_grad():
        for parameter in copied.parameters():
            if parameter.is_floating_point():  # whole numbers are constants
                parameter.fill_(math.nan)  # what keeps this was not reached
        for module in reversed(list(copied.modules())):
            reset = getattr(module, "reset_parameters", None)
            if callable(reset):
                reset()
    for name, parameter in copied.named_parameters():
        if bool(parameter.isnan().any()):
            raise TeacherError(
                f"cannot start {type(network).__name__} with new weights: no "
                f"reset_parameters draws '{name}'; give the module that holds it a "
                "reset_parameters()"
            )
    return copied

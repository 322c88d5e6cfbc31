"""What a search asks of predictions beside their accuracy: scores of ours, and a user's own."""

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from kdsearch.core.objectives import MODULE, Objective
from kdsearch.errors import ObjectiveError
from kdsearch.factory import find_factory, source_of
from kdsearch.files import content_hash
from kdsearch.measure.balanced_accuracy import balanced_accuracy
from kdsearch.measure.confidence import calibration_error
from kdsearch.measure.macro_f1 import macro_f1

METRICS: Mapping[str, Callable[[Tensor, Tensor], float]] = MappingProxyType(
    {
        "balanced_accuracy": balanced_accuracy,
        "macro_f1": macro_f1,
        "calibration_error": calibration_error,
    }
)


def scores_of(
    objectives: Sequence[Objective], logits: Tensor, labels: Tensor
) -> dict[str, float]:
    """By objective, from logits (n, classes) and labels (n,).

    Raises:
        ObjectiveError: one is no finite number, or the user's own function raised.
    """
    return {one.name: score(one, logits, labels) for one in objectives}


def score(objective: Objective, logits: Tensor, labels: Tensor) -> float:
    """See `scores_of`."""
    own = objective.function
    if own is None:
        value = METRICS[objective.name](logits, labels)
    else:
        value = own_score(own, logits, labels)
    if not math.isfinite(value):
        raise ObjectiveError(f"{own or objective.name}: {value}, and not a finite number")
    return value


def own_score(name: str, logits: Tensor, labels: Tensor) -> float:
    """What 'module:pkg.mod:function' says of float32 logits and labels.

    It is given copies on the processor, and a random generator of its own, always alike.
    """
    function = find_factory(name.removeprefix(MODULE))
    copies = [logits.detach().float().to("cpu", copy=True), labels.to("cpu", copy=True)]
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.default_generator.manual_seed(0)
        try:
            return float(function(*copies))
        except MemoryError:
            raise
        except (Exception, SystemExit) as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            raise ObjectiveError(f"{name}: {reason}") from error


def identity(objectives: Sequence[Objective]) -> dict[str, Any]:
    """What their scores depend on, by name: of a user's own its source, of ours nothing."""
    return {
        one.name: None
        if one.function is None
        else {
            "function": one.function,
            "direction": one.direction,
            "source": content_hash(source_of(one.function.removeprefix(MODULE))),
        }
        for one in objectives
    }

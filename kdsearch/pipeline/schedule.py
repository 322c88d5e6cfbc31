"""How long and how `distill_student` teaches: its keyword arguments, checked."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch

from kdsearch.core.progress import Progress
from kdsearch.errors import UserError, did_you_mean
from kdsearch.training.plan import Plan

PRECISIONS = ("float32", "bf16")


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


def schedule_of(given: Mapping[str, Any]) -> Schedule:
    """Raises UserError for an argument that is none, or a value that will not do."""
    known = [field.name for field in fields(Schedule)]
    for name, value in given.items():
        if name not in known:
            raise UserError(f"unknown argument '{name}'; {did_you_mean(name, known)}")
        if name in RULES and not RULES[name][0](value):
            raise UserError(f"{name} = {value!r}: {RULES[name][1]}")
    plan = Schedule(**given)
    if plan.precision not in PRECISIONS:
        raise UserError(
            f"precision = {plan.precision!r}; {did_you_mean(str(plan.precision), PRECISIONS)}"
        )
    return plan


def is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    return is_whole(value) or (isinstance(value, float) and math.isfinite(value))


def is_device(value: Any) -> bool:
    try:
        return value is None or torch.empty(0, device=value).numel() == 0
    except (RuntimeError, TypeError, AssertionError):
        return False


RULES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "epochs": (lambda n: is_whole(n) and n >= 1, "needs at least 1, a whole number"),
    "learning_rate": (lambda x: is_number(x) and x > 0, "needs a number above 0"),
    "weight_decay": (lambda x: is_number(x) and x >= 0, "needs a number, 0 or above"),
    "seed": (lambda n: is_whole(n) and n >= 0, "needs a whole number, 0 or above"),
    "device": (is_device, "torch cannot use it here; 'cpu' always goes"),
    "checkpoint": (lambda p: p is None or isinstance(p, str | Path), "needs a file's path"),
}
"""What each value has to be, and how that is said."""


def training_plan(schedule: Schedule, batches: int, batch_size: int) -> Plan:
    return Plan(
        steps=schedule.epochs * batches,
        batch_size=batch_size,
        learning_rate=schedule.learning_rate,
        weight_decay=schedule.weight_decay,
        seed=schedule.seed,
        precision=schedule.precision,
    )

"""A family that is the user's own function (ours): `module:pkg.mod:build` in a space file.

`build(choices)` makes one student. Nothing is known of what two of them have in common, so
there is no supernet, no inherited accuracy and no wider network: each is trained by itself.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from kdsearch.core.records import Architecture
from kdsearch.core.space import Space
from kdsearch.errors import UserError
from kdsearch.nets.own_student import OwnStudent

MODULE = "module:"


@dataclass(frozen=True, slots=True)
class OwnFamily:
    """See `Family`."""

    name: str
    build: Callable[..., Any]
    """Is given the choices as a dict, and `channels` and `classes` if it has parameters of
    these names; draws weights from torch's global generator alone."""
    shares_weights = False

    def check(self, space: Space) -> None:
        """Any axes will do; what `build` makes of them shows when it is called."""

    def supernet(self, space: Space, channels: int, classes: int) -> nn.Module:
        """There is none.

        Raises:
            UserError: always.
        """
        raise UserError(
            f"family {self.name} shares no weights between students: there is no supernet"
        )

    def student(self, architecture: Architecture, channels: int, classes: int) -> OwnStudent:
        """See `Family.student`; on the processor, also where the meta device is the default.

        Raises:
            UserError: `build` fails, or returns no nn.Module.
        """
        who = f"family {self.name}, student {words(architecture)}"
        known = parameters(self.build)
        given = {"channels": channels, "classes": classes}
        try:
            with torch.device("cpu"):  # code of others asks for numbers that meta has not
                module = self.build(
                    architecture.as_dict(), **{n: v for n, v in given.items() if n in known}
                )
        except MemoryError:
            raise
        except Exception as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            raise UserError(f"{who}: build raised {reason}") from error
        if not isinstance(module, nn.Module):
            raise UserError(
                f"{who}: build returned {type(module).__name__}; it must return an nn.Module"
            )
        return OwnStudent(module, classes, who)

    def wider(self, architecture: Architecture, factor: float) -> Architecture:
        """See `Family.wider`.

        Raises:
            UserError: for any factor but 1.
        """
        if factor != 1:
            raise UserError(
                f"family {self.name}: no student {factor:g} times as wide is known; take "
                "teacher.width: 1 and aux: max_subnet, or bring a larger teacher.network"
            )
        return architecture


def parameters(build: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """The parameters of a function or class by name; none where they cannot be read."""
    try:
        return inspect.signature(build).parameters
    except (TypeError, ValueError):
        return {}


def words(architecture: Architecture) -> str:
    """'{depth: 2, width: 8}'."""
    return "{" + ", ".join(f"{name}: {value}" for name, value in architecture.choices) + "}"

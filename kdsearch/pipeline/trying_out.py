"""A user's own family, tried out before hours go into its students (ours)."""

import torch
from torch import nn

from kdsearch.core.records import Architecture
from kdsearch.data.records import DataInfo
from kdsearch.errors import UserError
from kdsearch.measure.size import macs
from kdsearch.nets.family import Family
from kdsearch.nets.kinds import family_of
from kdsearch.nets.own_family import words
from kdsearch.nets.stored import kept_weights
from kdsearch.pipeline.context import Context


def try_out(context: Context, info: DataInfo) -> None:
    """Builds the space's smallest and largest student, and shows them images as the data are.

    Raises:
        UserError: one of them cannot be a student; families of the table are not tried.
    """
    family, space = family_of(context.space.family), context.space.space
    if family.shares_weights:
        return
    for point in (space.smallest(), space.largest()):
        check_student(family, Architecture.of(point), info, context.device)


def check_student(
    family: Family, architecture: Architecture, info: DataInfo, device: str
) -> None:
    shape = (info.channels, info.size, info.size)
    one, other = (
        seeded(family, architecture, info.channels, len(info.classes)) for _ in range(2)
    )
    who = f"family {family.name}, student {words(architecture)}"
    if set(one.modules()) & set(other.modules()):
        raise UserError(f"{who}: build returned the same module twice; it must make a new one")
    try:
        with torch.no_grad():
            one.to(device).eval()(torch.zeros(2, *shape, device=device))
        macs(one, shape)
        is_repeated = kept_weights(one) == kept_weights(other)
    except UserError:
        raise
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise UserError(f"{who}: cannot be used on images {shape}: {reason}") from error
    if not is_repeated:
        raise UserError(
            f"{who}: two calls of build under one seed gave different weights; draw them from "
            "torch's global generator alone"
        )


def seeded(
    family: Family, architecture: Architecture, channels: int, classes: int
) -> nn.Module:
    """A student with the weights of one seed, and torch's generator as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        return family.student(architecture, channels, classes)

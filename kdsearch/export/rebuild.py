"""The network a spec describes, with fresh weights: of a family, or brought along."""

import torch
from torch import nn

from kdsearch.core.records import Architecture
from kdsearch.data.records import DataInfo, Split
from kdsearch.export.format import Spec
from kdsearch.nets.kinds import check_source, family_of
from kdsearch.nets.logits import bare
from kdsearch.teachers.make import Origin
from kdsearch.teachers.student import brought_student
from kdsearch.training.feed import Feed


def outlined(spec: Spec) -> nn.Module:
    """A network of a family without memory for its weights, and without taps."""
    with torch.device("meta"):
        return bare(rebuilt(spec))


def bytes_of(network: nn.Module) -> int:
    """Of its weights, whether there is memory for them or not."""
    return sum(tensor.nbytes for tensor in network.state_dict().values())


def rebuilt(spec: Spec) -> nn.Module:
    """Its forward gives an Output.

    Raises:
        UserError: the code or library a network came from is not here, or has changed.
    """
    classes = spec["classes"]
    if "origin" not in spec:
        check_source(spec["family"], spec)
        return family_of(spec["family"]).student(
            Architecture.of(spec["architecture"]), spec["channels"], len(classes)
        )
    size = spec["size"]
    blank = Split(
        torch.zeros(2, spec["channels"], size, size, dtype=torch.uint8),
        torch.zeros(2, dtype=torch.int64),
    )
    info = DataInfo(
        name="",
        classes=tuple(classes),
        channels=spec["channels"],
        size=size,
        mean=tuple(spec["mean"]),
        std=tuple(spec["std"]),
        counts={},
        skipped=(),
        fingerprint="",
    )
    return brought_student(Origin(**spec["origin"]), Feed(blank, info))

"""Shared prefixes: students that agree on their first segments are computed once up to there,
their calibration too (ours).

What the last student's segments gave is kept, shallow to deep; the next student goes on from
the last segment it has in common with it. In the order of `in_order` that is a walk through
the tree of all students, so that no segment is computed twice, and memory is one path's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from kdsearch.core.records import Architecture
from kdsearch.nets.family import Supernet
from kdsearch.supernet.calibrate import cumulative

LIMIT = 2**29
"""Bytes that are kept at most, beside one segment's own."""


@dataclass(slots=True)
class Level:
    """What a segment gave: for the calibration batches, as the norms see them in training, and
    for the images; None once it was let go."""

    key: tuple[int, ...]
    calibration: list[Tensor] | None
    images: list[Tensor] | None

    @property
    def bytes(self) -> int:
        kept = [*(self.calibration or ()), *(self.images or ())]
        return sum(tensor.numel() * tensor.element_size() for tensor in kept)

    def let_go(self) -> None:
        self.calibration = self.images = None


class Prefixes:
    """The logits of students with inherited weights; the same as carved, calibrated, asked."""

    def __init__(
        self,
        supernet: Supernet,
        calibration: Sequence[Tensor],
        images: Tensor,
        *,
        batch_size: int = 500,
        limit: int = LIMIT,
    ) -> None:
        """
        Args:
            calibration: normalised images, each (batch, channels, height, width).
            images: normalised, those to be classified.
            limit: bytes kept at most; what stands nearest to the images is let go first, and
                computed again where a student needs it.
        """
        assert isinstance(supernet, nn.Module)
        normed = any(isinstance(module, _BatchNorm) for module in supernet.modules())
        self.supernet = supernet
        self.root = Level(
            (), list(calibration) if normed else [], list(torch.split(images, batch_size))
        )
        self.stack: list[Level] = []
        self.limit = limit
        self.computed = 0
        """Segments computed so far."""

    @torch.no_grad()
    def logits(self, architecture: Architecture) -> Tensor:
        """Float32 (images, classes)."""
        segments = self.supernet.segments(architecture)
        del self.stack[self.shared([segment.key for segment in segments]) :]
        start = len(self.stack)
        while start and self.stack[start - 1].images is None:
            start -= 1
        del self.stack[start:]
        level = self.stack[start - 1] if start else self.root
        for place, segment in enumerate(segments[start:], start):
            level = self.after(level, segment.key, segment.carve())
            self.computed += 1
            if place < len(segments) - 1:  # the logits are nobody's prefix
                self.stack.append(level)
                self.make_room()
        assert level.images is not None
        return torch.cat([logits.float() for logits in level.images])

    def shared(self, keys: Sequence[tuple[int, ...]]) -> int:
        """How many segments the last student has in common with this one."""
        pairs = zip(self.stack, keys, strict=False)
        return next(
            (n for n, (level, key) in enumerate(pairs) if level.key != key),
            min(len(self.stack), len(keys)),
        )

    def after(self, before: Level, key: tuple[int, ...], segment: nn.Module) -> Level:
        """What a segment makes of a level, its norms calibrated first."""
        assert before.calibration is not None and before.images is not None
        segment.eval()
        with cumulative([m for m in segment.modules() if isinstance(m, _BatchNorm)]):
            calibration = [segment(batch) for batch in before.calibration]
        return Level(key, calibration, [segment(batch) for batch in before.images])

    def make_room(self) -> None:
        held = sum(level.bytes for level in self.stack)
        for level in self.stack[:-1]:
            if held <= self.limit:
                return
            held -= level.bytes
            level.let_go()


def in_order(supernet: Supernet, architectures: Iterable[Architecture]) -> list[Architecture]:
    """Students with long common prefixes next to each other."""
    return sorted(architectures, key=lambda a: [s.key for s in supernet.segments(a)])


def ideal_ratio(supernet: Supernet, architectures: Iterable[Architecture]) -> float:
    """Segments of all students one by one over the distinct ones, in number."""
    alone, distinct = 0, set()
    for architecture in architectures:
        keys = tuple(segment.key for segment in supernet.segments(architecture))
        alone += len(keys)
        distinct |= {keys[:n] for n in range(1, len(keys) + 1)}
    return alone / len(distinct)

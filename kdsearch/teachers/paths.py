"""The distribution that students are drawn from: one categorical per axis of the space.

Learnt by REINFORCE (Williams, 1992, doi:10.1007/BF00992696) against a moving average: sliced
paths leave no derivative to follow. The factorised form and all numbers are ours, as the
generic teacher's paper (arXiv:2407.16040) tells us no more than that it is trainable.
"""

import random
from collections.abc import Collection, Sequence
from math import log

import torch
from torch import Tensor, nn

from kdsearch.core.paths import drawn
from kdsearch.core.records import Architecture
from kdsearch.core.space import Space, Value
from kdsearch.errors import TeacherError
from kdsearch.teachers.learning import Learning

BETAS = (0.5, 0.999)
DECAY = 1e-3
TINY = 1e-8
MEMORY = 0.9
"""Of the moving average that a path's loss is held against."""
ATTEMPTS = 1000
"""Draws after which nothing but students held out seems to be left."""


class PathDistribution(nn.Module):
    """P = (1 - floor) · softmax(theta) + floor · uniform on each axis; starts uniform.

    Theta has an Adam of its own, and everything stays on the processor, in float64, where
    paths are drawn. All of it are buffers: the teacher's optimiser does not touch them.

    Args:
        costs: relative cost of the value at each place of theta; see `teachers.costs`.
        held_out: students that are never drawn. `probabilities` takes no account of them, as
            they are few.
    """

    theta: Tensor
    first: Tensor
    second: Tensor
    steps: Tensor
    average: Tensor
    costs: Tensor

    def __init__(
        self,
        space: Space,
        rule: Learning,
        costs: Tensor | None = None,
        held_out: Collection[Architecture] = (),
    ) -> None:
        super().__init__()
        self.held_out = frozenset(held_out)
        self.rule = rule
        self.space = space
        self.choices = space.choices()
        self.sizes = [len(values) for values in self.choices.values()]
        zeros = torch.zeros(sum(self.sizes), dtype=torch.float64)
        for name in ("theta", "first", "second"):
            self.register_buffer(name, zeros.clone())
        self.register_buffer("costs", zeros.clone() if costs is None else costs)
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        self.register_buffer("average", torch.zeros((), dtype=torch.float64))

    def logarithms(self) -> list[Tensor]:
        """Of the learnt part alone, axis by axis."""
        return [torch.log_softmax(axis, 0) for axis in torch.split(self.theta, self.sizes)]

    def probabilities(self) -> dict[str, dict[Value, float]]:
        """What paths are drawn with: by axis, of each of its values."""
        floor = self.rule.floor
        mixed = [(1 - floor) * own.exp() + floor / len(own) for own in self.logarithms()]
        return {
            name: dict(zip(values, p.tolist(), strict=True))
            for (name, values), p in zip(self.choices.items(), mixed, strict=True)
        }

    def evenness(self) -> float:
        """Entropy of what paths are drawn with, over that of even draws: 1 is even."""
        found = [list(axis.values()) for axis in self.probabilities().values()]
        entropy = -sum(p * log(p) for axis in found for p in axis if p > 0)
        most = sum(log(len(axis)) for axis in found)
        return entropy / most if most else 1.0

    def draw(self, rng: random.Random) -> Architecture:
        """A student that is not held out.

        Raises:
            TeacherError: none was found.
        """
        odds = self.probabilities()
        for _ in range(ATTEMPTS):
            path = drawn(self.space, rng, odds)
            if path not in self.held_out:
                return path
        raise TeacherError(
            f"{ATTEMPTS} students drawn in a row are of the {len(self.held_out)} in "
            "teacher.held_out; hold out fewer, or raise teacher.distribution.floor"
        )

    def learn(
        self, paths: Sequence[Architecture], losses: Sequence[float], progress: float
    ) -> None:
        """One step of Adam toward paths of small loss."""
        mean = sum(losses) / len(losses)
        if int(self.steps) == 0:
            self.average.fill_(mean)
        gains = [loss - float(self.average) for loss in losses]
        gradient = self.gradient(paths, gains, progress) + DECAY * self.theta
        self.steps += 1
        self.average.mul_(MEMORY).add_((1 - MEMORY) * mean)
        self.first.lerp_(gradient, 1 - BETAS[0])
        self.second.lerp_(gradient.square(), 1 - BETAS[1])
        first = self.first / (1 - BETAS[0] ** int(self.steps))
        second = self.second / (1 - BETAS[1] ** int(self.steps))
        self.theta -= self.rule.learning_rate * first / (second.sqrt() + TINY)

    def gradient(
        self, paths: Sequence[Architecture], gains: Sequence[float], progress: float
    ) -> Tensor:
        """Of the mean loss of what is drawn, of the cost's pull, and of minus the entropy."""
        floor, weight = self.rule.floor, self.rule.entropy_at(progress)
        pull = self.pull() * self.costs
        gradients = []
        for (name, values), logs, tilt in zip(
            self.choices.items(), self.logarithms(), torch.split(pull, self.sizes), strict=True
        ):
            p = logs.exp()
            places = [values.index(path[name]) for path in paths]
            slope = tilt.clone()
            for at, gain in zip(places, gains, strict=True):
                slope[at] += gain / len(paths) / ((1 - floor) * p[at] + floor / len(p))
            expected = (1 - floor) * p * (slope - (p * slope).sum())
            entropy = -(p * logs).sum()
            gradients.append(expected + weight * p * (logs + entropy))
        return torch.cat(gradients)

    def pull(self) -> float:
        """Derivative of strictness · (mean cost / target - 1)² by the mean cost."""
        if not self.rule.minds_cost:
            return 0.0
        odds = [p for axis in self.probabilities().values() for p in axis.values()]
        mean = float((torch.tensor(odds, dtype=torch.float64) * self.costs).sum())
        target = self.rule.target
        return 2 * self.rule.strictness * (mean / target - 1) / target

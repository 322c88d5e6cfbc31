"""Branches of students on a teacher's features: adapter, then the rest of a student.

After Park, Cha, Kim & Han, 2021, arXiv:2102.07650 (one student) and Binici, Wu & Mitra, 2024,
arXiv:2407.16040 (students drawn from a supernet). Reconstructed: where branches attach, their
losses and how paths are learnt are ours. Supernet and adapters are scaffolding: nothing of
them is kept.
"""

import random
from collections.abc import Sequence
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.core.records import Architecture
from kdsearch.core.seeds import derive
from kdsearch.losses.conditioning import DIRECTIONS, SIDES
from kdsearch.nets.adapter import Adapter, Shape
from kdsearch.nets.family import Supernet
from kdsearch.teachers.conditioning import Conditioning
from kdsearch.teachers.learning import ARCHITECTURE_LOSSES
from kdsearch.teachers.paths import PathDistribution
from kdsearch.teachers.task import Heard
from kdsearch.training.parallel import averaged
from kdsearch.training.precision import autocast


class Fork(NamedTuple):
    """Where branches leave a teacher."""

    feat: int
    """Number of the teacher's feature map."""
    stage: int
    """So many stages of a student it stands for."""


class Manner(NamedTuple):
    """How the branches of a training are drawn, run and weighed."""

    rule: Conditioning
    seed: int
    """Of the paths alone, so that two trainings see the same data whatever their paths."""
    side: int
    """Of the images, in pixels."""
    precision: str


class Said(NamedTuple):
    """Losses of one path, mean over its branches: scalars."""

    cross_entropy: Tensor
    divergence: Tensor


class Branches(nn.Module):
    """See `Term`."""

    def __init__(
        self,
        scaffold: nn.Module,
        adapters: Sequence[Adapter],
        forks: Sequence[Fork],
        distribution: PathDistribution,
        manner: Manner,
    ) -> None:
        super().__init__()
        self.scaffold = scaffold
        self.adapters = nn.ModuleList(adapters)
        self.forks = tuple(forks)
        self.distribution = distribution
        self.manner = manner

    def forward(self, heard: Heard) -> Tensor:
        rule, batch = self.manner.rule, heard.batch
        paths, said = [], []
        for k in range(rule.paths):
            path, forks = self.drawn(batch.step, k)
            paths.append(path)
            said.append(self.said(heard, path, forks))
        entropy = torch.stack([s.cross_entropy for s in said])
        divergence = torch.stack([s.divergence for s in said])
        if self.distribution.rule.is_on and not rule.is_warming_up(batch.progress):
            self.learn(paths, torch.stack([entropy, divergence]).detach(), batch.progress)
        total = rule.ce * entropy.mean()
        weight = rule.kl_at(batch.progress)
        return total + weight * divergence.mean() if weight > 0 else total

    def drawn(self, step: int, k: int) -> tuple[Architecture, Sequence[int]]:
        """The k-th path of a step and the numbers of the forks that it leaves at."""
        rng = random.Random(derive(self.manner.seed, "branch paths", step, k))
        path = self.distribution.draw(rng)
        if self.manner.rule.attach == "all":
            return path, range(len(self.forks))
        return path, (rng.randrange(len(self.forks)),)

    def said(self, heard: Heard, path: Architecture, forks: Sequence[int]) -> Said:
        rule, labels = self.manner.rule, heard.batch.labels
        shapes = cast(Supernet, self.scaffold).shapes(path, self.manner.side)
        entropies, divergences = [], []
        for at in forks:
            logits = self.branch(heard, path, at, shapes)
            entropies.append(F.cross_entropy(logits, labels))
            sides = SIDES[rule.gradient](logits, heard.logits)
            divergences.append(DIRECTIONS[rule.direction](*sides, rule.temperature))
        return Said(torch.stack(entropies).mean(), torch.stack(divergences).mean())

    def branch(
        self, heard: Heard, path: Architecture, at: int, shapes: Sequence[Shape]
    ) -> Tensor:
        """float32 logits of the path from one fork on."""
        fork, batch = self.forks[at], heard.batch
        maps = heard.out.feats[fork.feat]
        if self.manner.rule.is_warming_up(batch.progress):
            maps = maps.detach()
        with autocast(batch.images.device, self.manner.precision):
            adapted = self.adapters[at](maps, shapes[fork.stage - 1])
            out = cast(Supernet, self.scaffold).forward_from(fork.stage, adapted, path)
        assert out.logits is not None
        return out.logits.float()

    def learn(self, paths: Sequence[Architecture], losses: Tensor, progress: float) -> None:
        """Moves the distribution by what this step's branches said, before weights move.

        Usual is a half batch held out; here each batch is new to the weights when it is
        scored, which costs no forward pass (ours). Waits for the device once.
        """
        loss = ARCHITECTURE_LOSSES[self.distribution.rule.loss]
        entropies, divergences = averaged(losses).tolist()
        scored = [
            loss(entropy, self.manner.rule.kl * divergence)
            for entropy, divergence in zip(entropies, divergences, strict=True)
        ]
        self.distribution.learn(paths, scored, progress)

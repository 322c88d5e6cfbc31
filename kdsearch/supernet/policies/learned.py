"""Policy `learned`: a sandwich whose middle follows the distribution over paths that the
generic teacher has learnt (our reading of Binici et al., 2024, arXiv:2407.16040, which samples
reference students from a trainable distribution).
"""

import random

from torch import nn

from kdsearch.core.paths import sandwich
from kdsearch.core.records import Architecture
from kdsearch.core.space import Space
from kdsearch.errors import UserError
from kdsearch.supernet.policies.policy import Terms


class Learned(nn.Module):
    """See `Policy`."""

    largest_first = True
    note = None

    def __init__(self, terms: Terms) -> None:
        super().__init__()
        if terms.learned is None:
            raise UserError(
                "supernet.policy: learned needs a teacher that has learnt a distribution: "
                "teacher.training: generic with teacher.distribution.loss: capability"
            )
        self.randoms = terms.randoms
        self.weights = terms.learned

    def paths(self, space: Space, rng: random.Random, step: int) -> tuple[Architecture, ...]:
        return sandwich(space, rng, self.randoms, self.weights)

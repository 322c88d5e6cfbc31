"""Policy `sandwich`: largest, smallest, and a few drawn evenly (Yu & Huang, 2019,
arXiv:1903.05134, sec. 3.2).
"""

import random

from torch import nn

from kdsearch.core.paths import sandwich
from kdsearch.core.records import Architecture
from kdsearch.core.space import Space
from kdsearch.supernet.policies.policy import Terms


class Sandwich(nn.Module):
    """See `Policy`."""

    largest_first = True
    note = None

    def __init__(self, terms: Terms) -> None:
        super().__init__()
        self.randoms = terms.randoms

    def paths(self, space: Space, rng: random.Random, step: int) -> tuple[Architecture, ...]:
        return sandwich(space, rng, self.randoms)

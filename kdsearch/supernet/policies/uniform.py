"""Policy `uniform`: every student as likely as any other, none twice as often.

Random subnet sampling, as it held against progressive shrinking in small spaces (Shipard et
al., 2022, arXiv:2204.09210). As many students a step as the sandwich has.
"""

import random

from torch import nn

from kdsearch.core.paths import drawn
from kdsearch.core.records import Architecture
from kdsearch.core.space import Space
from kdsearch.supernet.policies.policy import Terms


class Uniform(nn.Module):
    """See `Policy`."""

    largest_first = False
    note = None

    def __init__(self, terms: Terms) -> None:
        super().__init__()
        self.count = terms.randoms + 2

    def paths(self, space: Space, rng: random.Random, step: int) -> tuple[Architecture, ...]:
        return tuple(drawn(space, rng) for _ in range(self.count))

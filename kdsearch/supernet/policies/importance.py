"""Policy `importance`: a sandwich whose middle is drawn where gradients are large.

The idea of PA&DA (Lu et al., 2023, arXiv:2302.14772): paths as often as their normalised
gradient norm says. Ours: the norm is that of the loss at the logits, which a step has anyway,
it is credited to each of the path's values, and 0.3 of the draws stay uniform.
"""

import random

import torch
from torch import Tensor, nn

from kdsearch.core.paths import Weights, sandwich
from kdsearch.core.records import Architecture
from kdsearch.core.space import Space, Value
from kdsearch.supernet.policies.policy import Terms
from kdsearch.training.parallel import averaged

FLOOR = 0.3
"""Share of the draws that stays uniform."""
DECAY = 0.95
"""Of a value's running mean, for each path that has it."""
REFRESH = 20
"""Steps between two looks at what was noted: a look waits for the GPU."""


class Importance(nn.Module):
    """See `Policy`."""

    largest_first = True
    norms: Tensor
    """Running mean of the norms of each value's paths, axis after axis."""
    odds: Tensor
    """What is drawn by until the next look."""

    def __init__(self, terms: Terms) -> None:
        super().__init__()
        self.randoms = terms.randoms
        self.axes = terms.space.choices()
        pairs = [(axis, value) for axis, values in self.axes.items() for value in values]
        self.places = {pair: place for place, pair in enumerate(pairs)}
        self.register_buffer("norms", torch.ones(len(pairs)))
        self.register_buffer("odds", torch.ones(len(pairs)))
        self.looked: Weights | None = None
        self.register_load_state_dict_post_hook(forget)  # type: ignore[no-untyped-call]

    def paths(self, space: Space, rng: random.Random, step: int) -> tuple[Architecture, ...]:
        if step % REFRESH == 0:
            self.odds.copy_(averaged(self.norms))
            self.looked = None
        if self.looked is None:
            self.looked = self.weights()
        return sandwich(space, rng, self.randoms, self.looked)

    def weights(self) -> Weights:
        odds = self.odds.tolist()
        return {axis: self.of_axis(axis, values, odds) for axis, values in self.axes.items()}

    def of_axis(
        self, axis: str, values: tuple[Value, ...], odds: list[float]
    ) -> dict[Value, float]:
        own = [odds[self.places[axis, value]] for value in values]
        shares = [FLOOR / len(own) + (1 - FLOOR) * odd / sum(own) for odd in own]
        return dict(zip(values, shares, strict=True))

    @torch.no_grad()
    def note(self, path: Architecture, gradient: Tensor) -> None:
        norm = gradient.norm(dim=1).sum()
        places = [self.places[pair] for pair in path.choices]
        self.norms[places] = DECAY * self.norms[places] + (1 - DECAY) * norm


def forget(policy: nn.Module, keys: object) -> None:
    """A run that goes back, or on, draws by what its checkpoint holds."""
    assert isinstance(policy, Importance)
    policy.looked = None

"""What a search may vary of the training beside the method, as a config asks for it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from kdsearch.config.knobs import knob_spaces, narrowed
from kdsearch.config.models import Config
from kdsearch.core.space import Axis, Choice, Space
from kdsearch.search.pool import TEACHER


class Bounds(NamedTuple):
    low: float
    high: float
    open: bool
    """Whether `low` itself is left out."""
    words: str


VARIED: Mapping[str, Bounds] = MappingProxyType(
    {
        "learning_rate": Bounds(0, float("inf"), True, "must be a number above 0"),
        "weight_decay": Bounds(0, float("inf"), False, "must be a number of at least 0"),
        "augment_strength": Bounds(0, 2, False, "must be a number from 0 to 2"),
    }
)
"""Fields of a training plan that `search.vary` may name."""


def training_space(config: Config) -> Space:
    """What a recipe of a search may change of the training; see `Recipe.training`."""
    vary = config.search.vary
    axes: dict[str, Axis] = {name: narrowed(vary[name]) for name in VARIED if name in vary}
    if config.teachers:
        axes[TEACHER] = Choice((TEACHER, *config.teachers))
    return Space(axes)


def taught_methods(config: Config) -> frozenset[str]:
    """The config's methods to which it matters who teaches."""
    from kdsearch.distill.kinds import learns_from_network  # brings torch

    spaces = knob_spaces(config.distill)
    return frozenset(name for name, space in spaces.items() if learns_from_network(name, space))

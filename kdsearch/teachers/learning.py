"""What a distribution over a space's students is learnt for: the architecture losses.

The generic teacher's paper (Binici, Wu & Mitra, 2024, arXiv:2407.16040) trains the distribution
its students are drawn from by an architecture loss. We know no formula of it: the three here,
and all numbers, are ours.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

NONE = "none"


@dataclass(frozen=True, slots=True)
class Learning:
    loss: str = NONE
    """A key of ARCHITECTURE_LOSSES; 'none': every student is as likely as every other."""
    floor: float = 0.3
    """Share of the draws that stays uniform, on each axis."""
    entropy: float = 0.1
    """Weight of the distribution's entropy at the start; a tenth of it at the end."""
    target: float = 0.5
    """For target_cost: mean cost aimed at, as a share of the largest student's MACs."""
    strictness: float = 1.0
    """For target_cost: weight of (mean cost / target - 1)²."""
    learning_rate: float = 3e-3

    @property
    def is_on(self) -> bool:
        return self.loss != NONE

    @property
    def minds_cost(self) -> bool:
        return self.loss == "target_cost"

    def entropy_at(self, progress: float) -> float:
        return self.entropy * (1 - 0.9 * progress)


def capability(cross_entropy: float, divergence: float) -> float:
    """Drifts to students that do well on the teacher's features: often the larger ones."""
    return cross_entropy + divergence


def hard_student(cross_entropy: float, divergence: float) -> float:
    """Drifts to the students that the teacher serves worst."""
    return -divergence


ARCHITECTURE_LOSSES: Mapping[str, Callable[[float, float], float]] = MappingProxyType(
    {"capability": capability, "hard_student": hard_student, "target_cost": capability}
)
"""A branch's cross-entropy and weighted divergence to what is to be small on average."""

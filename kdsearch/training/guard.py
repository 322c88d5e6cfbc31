"""Sees training go wrong: a loss that is not a number, explodes or falls back to chance.

That is all: a loss that jumps and stays better than chance is left to come back by itself.
"""

import math
from collections.abc import Sequence
from statistics import fmean

from kdsearch.errors import TrainingError

LEARNT = 0.8
"""Below this share of chance's loss a network counts as having learnt something."""
LOST = 0.98
"""Above this share of chance's loss, after having learnt, it counts as collapsed."""
EXPLODED = 1000
"""Above so many times chance's loss nothing comes back, though the numbers may stay finite."""

ENOUGH = 8
"""Images of a window from which a loss is told from chance's."""


class Guard:
    """Fed the loss of each window of steps; raises TrainingError with the step.

    A supernet that collapses in mid-training jumps back to ln(classes) and stays there.
    """

    def __init__(self, classes: int) -> None:
        self.chance = math.log(max(2, classes))
        self.best = math.inf

    def check(
        self,
        totals: Sequence[float],
        entropies: Sequence[float],
        step: int,
        *,
        tells_chance: bool = True,
    ) -> None:
        """Total loss and cross-entropy of each step of the window that ends at `step`.

        Args:
            tells_chance: whether its images are enough to tell a loss from chance's.
        """
        first = step - len(totals) + 1
        for at, losses in enumerate(zip(totals, entropies, strict=True), first):
            for loss in losses:
                if not math.isfinite(loss):
                    raise TrainingError(
                        f"loss is {loss} at step {at}; a smaller learning_rate helps", at
                    )
        cross_entropy = fmean(entropies)
        if cross_entropy > EXPLODED * self.chance:
            raise TrainingError(
                f"loss is {cross_entropy:.3g} at step {step}; a smaller learning_rate helps",
                step,
            )
        if not tells_chance:
            return
        self.best = min(self.best, cross_entropy)
        if self.best < LEARNT * self.chance and cross_entropy > LOST * self.chance:
            raise TrainingError(
                f"loss fell back to chance at step {step}: cross-entropy {cross_entropy:.3f}, "
                f"chance {self.chance:.3f}, best {self.best:.3f}; "
                "a smaller learning_rate helps",
                step,
            )

"""What a training run is: its length, its optimiser's settings, its seed."""

import math
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Plan:
    """Every schedule is a function of the fraction of `steps`, also when stopped before."""

    steps: int
    """Optimiser steps of the whole run."""
    batch_size: int
    learning_rate: float
    """At its highest, after the warm-up."""
    weight_decay: float
    """On weights; biases, norms and depthwise convolutions have none."""
    seed: int
    augment: str = "none"
    augment_strength: float = 1.0
    """0: images as they are; 1: as the policy has it; 2: shifted twice as far."""
    momentum: float = 0.9
    warmup: float = 0.05
    """Share of the steps in which the learning rate rises linearly."""
    clip: float = 5.0
    """Largest norm of a player's whole gradient."""
    clip_value: float | None = None
    """Largest size of each number of a gradient (AlphaNet, Wang et al., 2021, arXiv:2102.07954,
    takes 1.0 in its code); None: any."""
    averaging: float = 0.03
    """Time constant of the weights' running average, as a share of the steps."""
    precision: str = "float32"
    """'float32' or 'bf16' (autocast of the forward pass; losses stay in float32)."""
    bank: int = 0
    """So many fixed variations of each image that epochs go round; 0: new ones each epoch."""
    rollbacks: int = 0
    """How often a run that goes wrong goes back to its last checkpoint, each time halving the
    learning rate of all that follows."""


def learning_rate(plan: Plan, step: int) -> float:
    """Linear warm-up, then a half cosine to 0 (Loshchilov & Hutter, 2017, arXiv:1608.03983)."""
    progress = (step + 0.5) / plan.steps
    if progress < plan.warmup:
        return plan.learning_rate * progress / plan.warmup
    rest = (progress - plan.warmup) / (1 - plan.warmup)
    return plan.learning_rate * 0.5 * (1 + math.cos(math.pi * rest))


def slowed(plan: Plan, rollbacks: int) -> Plan:
    """The plan after so many roll-backs."""
    return replace(plan, learning_rate=plan.learning_rate / 2**rollbacks)


def averaging_decay(plan: Plan, step: int) -> float:
    """Decay of the running average at a step; short at first: the start is soon forgotten."""
    window = max(1.0, plan.averaging * plan.steps)
    return min(1 - 1 / window, (1 + step) / (10 + step))

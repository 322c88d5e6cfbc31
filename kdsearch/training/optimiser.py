"""The optimiser of a run, what decays in it, and how its gradients are clipped.

No decay on biases and norms (Cai et al., 2020, arXiv:1908.09791, in their code), and none on
depthwise convolutions (Yu & Huang, 2019, arXiv:1903.05134, in theirs).
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from kdsearch.training.plan import Plan


def make_optimiser(module: nn.Module, plan: Plan) -> torch.optim.Optimizer:
    """SGD with Nesterov momentum over all that is trained."""
    spared = depthwise(module)
    trained = [p for p in module.parameters() if p.requires_grad]
    decays = [p.ndim > 1 and id(p) not in spared for p in trained]
    groups = [
        {
            "params": [p for p, d in zip(trained, decays, strict=True) if d == decayed],
            "weight_decay": plan.weight_decay if decayed else 0.0,
        }
        for decayed in (True, False)
    ]
    return torch.optim.SGD(
        [g for g in groups if g["params"]],
        lr=plan.learning_rate,
        momentum=plan.momentum,
        nesterov=True,
    )


def depthwise(module: nn.Module) -> set[int]:
    """Ids of the weights of convolutions with one input channel a group, of several groups.

    Told by the module: the weight of a stem over grey images has the same shape.
    """
    return {
        id(m.weight)
        for m in module.modules()
        if isinstance(m, nn.Conv2d) and m.groups == m.in_channels > 1
    }


def clip(players: Sequence[Sequence[nn.Module]], plan: Plan) -> None:
    """Limits all gradients of a step, when they are all there: each value, then each norm."""
    for player in players:
        parameters: list[Tensor] = [p for module in player for p in module.parameters()]
        if plan.clip_value is not None:
            torch.nn.utils.clip_grad_value_(parameters, plan.clip_value)
        torch.nn.utils.clip_grad_norm_(parameters, plan.clip)

"""The logits of all classes but the true one, which decoupled and normalised losses compare."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def other_logits(
    logits: Float[Tensor, "batch classes"], labels: Int[Tensor, " batch"]
) -> Float[Tensor, "batch others"]:
    """Every row without its true class: classes − 1 columns, in their old order."""
    columns = torch.arange(logits.shape[1] - 1, device=logits.device)
    return logits.gather(1, columns + (columns >= labels[:, None]))

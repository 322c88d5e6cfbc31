"""Standardised logits: Sun et al., 2024, arXiv:2403.01427.

As in sunshangquan/logit-standardization-KD, mdistiller/distillers/KD.py, by the authors.
Student and teacher are compared by the shape of their logits, whatever mean and scale.
"""

from jaxtyping import Float
from torch import Tensor

EPSILON = 1e-7


def standardized(logits: Float[Tensor, "batch classes"]) -> Float[Tensor, "batch classes"]:
    """(z − mean) / (1e-7 + standard deviation) of every row, the deviation over classes − 1.

    A row whose deviation is at most 1e-7 has no shape: zeros, and a gradient of zeros.
    """
    centred = logits - logits.mean(dim=1, keepdim=True)
    deviation = logits.std(dim=1, keepdim=True)
    return (centred / (EPSILON + deviation)).masked_fill(deviation <= EPSILON, 0)

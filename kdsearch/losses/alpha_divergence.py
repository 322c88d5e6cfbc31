"""Alpha-divergence: Minka, 2005, MSR-TR-2005-173; the adaptive, clipped one of AlphaNet
(Wang et al., 2021, arXiv:2102.07954, sec. 3; facebookresearch/AlphaNet, loss_ops.py).

D_a(p‖q) = (Σ q (p/q)^a − 1) / (a (a − 1)); a = 1: KL(p‖q), a = 0: KL(q‖p). Here p is the
teacher, q the student. Computed in log space (ours): q that underflows gives no 0 · inf.
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

LARGEST_EXPONENT = 80.0
"""Beyond it exp() leaves float32."""


def alpha_divergence(
    student: Float[Tensor, "batch classes"],
    teacher: Float[Tensor, "batch classes"],
    alpha: float,
    clip: float | None = None,
) -> Float[Tensor, " batch"]:
    """D_alpha(teacher ‖ student) of the softmaxes of logits, one value a row.

    The gradient is −Σ stop(q·ρ) ∇log q with ρ = (p/q)^alpha / alpha (log(p/q) − 1 at 0).

    Args:
        clip: largest (p/q)^alpha, in value and gradient, as AlphaNet has it; not at alpha 0
            and 1, where nothing grows without bound.
    """
    log_q, log_p = F.log_softmax(student, dim=1), F.log_softmax(teacher, dim=1)
    fixed, gap = log_q.detach(), log_p - log_q.detach()
    if alpha == 1:
        weights, value = log_p.exp(), (log_p.exp() * gap).sum(1)
    elif alpha == 0:
        weights, value = fixed.exp() * (gap - 1), -(fixed.exp() * gap).sum(1)
    else:
        most = LARGEST_EXPONENT if clip is None else math.log(clip)
        ratio = (alpha * gap).clamp(max=most)
        powers = (fixed + ratio).clamp(max=LARGEST_EXPONENT).exp()
        weights, value = powers / alpha, (powers.sum(1) - 1) / (alpha * (alpha - 1))
    slope = -(weights * log_q).sum(1)
    return slope + (value - slope).detach()


def adaptive_alpha_divergence(
    student: Float[Tensor, "batch classes"],
    teacher: Float[Tensor, "batch classes"],
    low: float,
    high: float,
    clip: float | None = None,
) -> Float[Tensor, ""]:
    """Of each row the larger of D_low and D_high; mean over the batch (AlphaNet, eq. 6)."""
    left = alpha_divergence(student, teacher, low, clip)
    if low == high:
        return left.mean()
    right = alpha_divergence(student, teacher, high, clip)
    return torch.where(left.detach() > right.detach(), left, right).mean()

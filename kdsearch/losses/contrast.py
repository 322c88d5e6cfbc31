"""Supervised contrast of two networks: Ding et al., 2020, arXiv:2012.00573; ifding/DLKD,
helper/losses.py, SupConLoss, after Khosla et al., 2020, arXiv:2004.11362."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

EPS = 1e-7
"""The authors': inside the logarithm of the denominator."""


def supervised_contrast(
    student: Float[Tensor, "batch features"],
    teacher: Float[Tensor, "batch features"],
    labels: Int[Tensor, " batch"] | None,
    temperature: float = 0.07,
) -> Float[Tensor, ""]:
    """−log-probability of a positive, mean over an anchor's positives, mean over all anchors.

    The 2·batch embeddings of both networks are the anchors; an anchor's positives are the
    others of its class, and without labels its counterpart in the other network alone.
    Probabilities are softmaxes of cosines / temperature over all embeddings but the anchor.
    The counterpart is always a positive, so no mean is over nothing: a class with one image,
    and a batch of one, are defined. Rows of zeros have cosine 0 with everything.

    Args:
        student: rows of length 1.
        teacher: rows of length 1.
    """
    embeddings = torch.cat([student, teacher])
    groups = torch.arange(len(student), device=student.device) if labels is None else labels
    groups = groups.repeat(2)
    others = ~torch.eye(len(groups), dtype=torch.bool, device=groups.device)
    positives = (groups[:, None] == groups) & others

    cosines = embeddings @ embeddings.T / temperature
    scores = cosines - cosines.amax(dim=1, keepdim=True).detach()
    log_sum = torch.log((scores.exp() * others).sum(dim=1, keepdim=True) + EPS)
    of_positives = ((scores - log_sum) * positives).sum(dim=1) / positives.sum(dim=1)
    return -of_positives.mean()

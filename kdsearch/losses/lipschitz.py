"""Bound on a network's Lipschitz constant, layer by layer: SoTeacher (Dong, Liu & Shang, 2022,
arXiv:2206.06661), as shwinshaker/SoTeacher computes it.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from jaxtyping import Float
from torch import Tensor, nn


def lipschitz(network: nn.Module) -> Float[Tensor, ""]:
    """Summed over the layers: sum of a convolution's absolute weights, largest |γ| / σ of a
    batch norm, largest sum over a column of a linear layer's absolute weights.

    σ is the square root of the running variance plus epsilon. Other layers (layer norm,
    attention's fused projections, batch norm without running statistics) count nothing; a
    network of those alone gives 0.
    """
    terms = [
        TERMS[type(layer)](layer)
        for layer in network.modules()
        if type(layer) in TERMS and getattr(layer, "running_var", layer) is not None
    ]
    return torch.stack(terms).sum() if terms else torch.zeros(())


def of_convolution(layer: nn.Module) -> Float[Tensor, ""]:
    assert isinstance(layer, nn.Conv1d | nn.Conv2d | nn.Conv3d)
    return layer.weight.abs().sum()


def of_norm(layer: nn.Module) -> Float[Tensor, ""]:
    assert isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d)
    assert layer.running_var is not None
    gain = 1.0 if layer.weight is None else layer.weight.abs()
    return (gain / (layer.running_var + layer.eps).sqrt()).max()


def of_linear(layer: nn.Module) -> Float[Tensor, ""]:
    assert isinstance(layer, nn.Linear)
    return layer.weight.abs().sum(0).max()


TERMS: Mapping[type[nn.Module], Callable[[nn.Module], Tensor]] = MappingProxyType(
    {
        **dict.fromkeys((nn.Conv1d, nn.Conv2d, nn.Conv3d), of_convolution),
        **dict.fromkeys((nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d), of_norm),
        nn.Linear: of_linear,
    }
)

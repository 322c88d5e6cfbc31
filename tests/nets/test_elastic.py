"""Each elastic layer against torch's own on slices written out by hand."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from kdsearch.nets.elastic import ElasticBatchNorm2d, ElasticConv2d, ElasticLinear

Stirred = Callable[[nn.Module], nn.Module]


@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (1, 2)])
def test_a_convolution_uses_the_leading_channels(kernel: int, stride: int) -> None:
    layer, images = ElasticConv2d(6, 8, kernel, stride), torch.randn(2, 4, 8, 8)
    weight = layer.widest.weight[:5, :4]
    expected = F.conv2d(images, weight, stride=stride, padding=kernel // 2)
    assert expected.shape == (2, 5, 8 // stride, 8 // stride)
    torch.testing.assert_close(layer(images, 5), expected)
    torch.testing.assert_close(layer.carve(4, 5)(images), expected)


def test_a_convolution_uses_the_leading_biases() -> None:
    layer, images = ElasticConv2d(6, 8, 1, bias=True), torch.randn(2, 4, 3, 3)
    conv = layer.widest
    assert conv.bias is not None and bool(conv.bias.any())
    expected = F.conv2d(images, conv.weight[:5, :4], conv.bias[:5])
    torch.testing.assert_close(layer(images, 5), expected)
    torch.testing.assert_close(layer.carve(4, 5)(images), expected)


def test_a_norm_uses_the_leading_channels(stirred: Stirred) -> None:
    layer, images = stirred(ElasticBatchNorm2d(6)), 3 * torch.randn(5, 4, 2, 2) + 1
    norm = layer.widest
    mean, var = norm.running_mean[:4].clone(), norm.running_var[:4].clone()
    scale = (norm.weight[:4] / (var + norm.eps).sqrt()).view(-1, 1, 1)
    expected = (images - mean.view(-1, 1, 1)) * scale + norm.bias[:4].view(-1, 1, 1)
    layer.eval()
    torch.testing.assert_close(layer(images), expected)
    torch.testing.assert_close(layer.carve(4).eval()(images), expected)
    assert torch.equal(norm.running_mean[:4], mean)


def test_a_norm_in_training_moves_only_the_leading_statistics(stirred: Stirred) -> None:
    """By momentum 0.1 towards the batch's mean and unbiased variance."""
    layer, images = stirred(ElasticBatchNorm2d(6)).train(), torch.randn(5, 4, 2, 2) + 1
    norm = layer.widest
    mean, var = norm.running_mean.clone(), norm.running_var.clone()
    shown = layer(images)
    batch = images.transpose(0, 1).flatten(1)
    moved = 0.9 * mean[:4] + 0.1 * batch.mean(1), 0.9 * var[:4] + 0.1 * batch.var(1)
    torch.testing.assert_close(norm.running_mean[:4], moved[0])
    torch.testing.assert_close(norm.running_var[:4], moved[1])
    assert torch.equal(norm.running_mean[4:], mean[4:])
    assert torch.equal(norm.running_var[4:], var[4:])
    centred = (batch - batch.mean(1, keepdim=True)) / (
        batch.var(1, unbiased=False, keepdim=True) + norm.eps
    ).sqrt()
    expected = centred * norm.weight[:4, None] + norm.bias[:4, None]
    torch.testing.assert_close(shown.transpose(0, 1).flatten(1), expected)


def test_a_classifier_uses_the_leading_features_and_all_outputs() -> None:
    layer, features = ElasticLinear(6, 3), torch.randn(2, 4)
    expected = features @ layer.widest.weight[:, :4].T + layer.widest.bias
    torch.testing.assert_close(layer(features), expected)
    torch.testing.assert_close(layer.carve(4)(features), expected)


def test_a_linear_layer_uses_the_leading_outputs_of_every_token() -> None:
    layer, tokens = ElasticLinear(6, 8), torch.randn(2, 3, 4)
    expected = tokens @ layer.widest.weight[:5, :4].T + layer.widest.bias[:5]
    torch.testing.assert_close(layer(tokens, 5), expected)
    torch.testing.assert_close(layer.carve(4, 5)(tokens), expected)

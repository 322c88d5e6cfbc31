from collections.abc import Callable

import pytest
import torch
from torch import nn

from kdsearch.nets.heads import Head, embedding

Cut = Callable[[nn.Module, nn.Module], nn.Module]
Stirred = Callable[..., nn.Module]


def alignment(inputs: int) -> Head:
    return Head(inputs, 64, 16)


def correlation(inputs: int) -> Head:
    """As wide as the largest student's features, whatever comes in."""
    return Head(inputs, 24, 24)


@pytest.mark.parametrize("make", [alignment, correlation, lambda inputs: embedding(inputs, 8)])
def test_narrower_features_see_a_slice(
    make: Callable[[int], nn.Module], stirred: Stirred, sliced: Cut
) -> None:
    widest = stirred(make(24))
    narrow = sliced(make(10), widest)
    for batch in (1, 5):
        features = torch.randn(batch, 10)
        assert widest(features).shape == widest(torch.randn(batch, 24)).shape
        torch.testing.assert_close(widest(features), narrow(features), rtol=1e-4, atol=1e-5)


def test_by_hand(stirred: Stirred) -> None:
    head, features = stirred(alignment(24)), torch.randn(3, 6)
    hidden = 2 * features @ head.widen.widest.weight[:, :6].T + head.widen.widest.bias
    centred = hidden - hidden.mean(1, keepdim=True)
    unit = centred / (hidden.var(1, unbiased=False, keepdim=True) + 1e-5).sqrt()
    shown = (unit * head.norm.weight + head.norm.bias).clamp(min=0)
    expected = shown @ head.narrow.weight.T + head.narrow.bias
    torch.testing.assert_close(head(features), expected, rtol=1e-4, atol=1e-5)


def test_parameters_of_the_papers_heads() -> None:
    """resnet32x4 to resnet8x4, both of 256 features (ifding/DLKD): 2.11, 0.13 and 0.07 million
    for alignment, correlation and the two embeddings."""
    counts = [
        sum(parameter.numel() for head in heads for parameter in head.parameters()) / 1e6
        for heads in (
            [Head(256, 16 * 256, 256)],
            [Head(256, 256, 256)],
            [embedding(256, 128), embedding(256, 128)],
        )
    ]
    assert counts == pytest.approx([2.11, 0.13, 0.07], abs=0.006)


def test_absent_features_get_no_gradient() -> None:
    head = alignment(24)
    head(torch.randn(4, 10)).square().sum().backward()
    gradient = head.widen.widest.weight.grad
    assert bool(gradient[:, :10].any(0).all()) and not bool(gradient[:, 10:].any())


@pytest.mark.parametrize("make", [alignment, lambda inputs: embedding(inputs, 32)])
def test_the_result_varies_alike_at_every_width(make: Callable[[int], nn.Module]) -> None:
    torch.manual_seed(0)
    head, features = make(64), torch.randn(500, 64)
    widest = float(head(features).detach().std())
    for width in (8, 16, 33):
        assert float(head(features[:, :width]).detach().std()) == pytest.approx(widest, rel=0.1)


def test_features_of_zeros_have_values_and_gradients() -> None:
    head, features = alignment(24), torch.zeros(1, 24, requires_grad=True)
    head(features).sum().backward()
    assert bool(features.grad.isfinite().all())


def test_its_state_is_loaded_whole(stirred: Stirred) -> None:
    first, second = alignment(24), alignment(24)
    second.load_state_dict(stirred(first).state_dict())
    features = torch.randn(2, 7)
    assert torch.equal(first(features), second(features))

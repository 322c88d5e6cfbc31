from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from kdsearch.measure.size import macs, params
from kdsearch.nets.auxiliary import Attention, AuxiliaryClassifier, Depthwise, SepConv, chain

Cut = Callable[[nn.Module, nn.Module], nn.Module]
Stirred = Callable[..., nn.Module]


@pytest.mark.parametrize(
    ("stage", "expansion", "network_params", "network_macs", "percent"),
    [
        (1, 1, 11.22e6, 555.5e6, (2.9, 2.2)),
        (2, 1, 11.22e6, 555.5e6, (3.0, 1.6)),
        (3, 1, 11.22e6, 555.5e6, (3.5, 1.0)),
        (1, 4, 23.71e6, 1298e6, (19.0, 14.5)),
        (2, 4, 23.71e6, 1298e6, (19.9, 10.5)),
        (3, 4, 23.71e6, 1298e6, (23.2, 6.5)),
    ],
)
def test_what_it_adds_to_resnets(
    stage: int,
    expansion: int,
    network_params: float,
    network_macs: float,
    percent: tuple[float, float],
) -> None:
    """Percent of the parameters and multiply-accumulates of ResNet-18 and ResNet-50 on 32x32
    images and 100 classes: counted on the modules of xucong-parsifal/LightSKD
    (backbone/adapter.py)."""
    width = 64 * expansion * 2 ** (stage - 1)
    auxiliary = AuxiliaryClassifier(width, stage, 4, 100, 512 * expansion)
    assert 100 * params(auxiliary) / network_params == pytest.approx(percent[0], abs=0.2)
    size = 64 >> stage
    counted = macs(auxiliary, (width, size, size))
    assert 100 * counted / network_macs == pytest.approx(percent[1], abs=0.2)


@pytest.mark.parametrize(
    ("width", "final", "steps", "widths"),
    [
        (64, 512, 3, [64, 128, 256, 512]),
        (128, 512, 2, [128, 256, 512]),
        (1024, 2048, 1, [1024, 2048]),
        (16, 100, 2, [16, 40, 100]),
        (40, 40, 2, [40, 40, 40]),
        (64, 16, 2, [64, 32, 16]),
        (3, 7, 3, [3, 4, 5, 7]),
    ],
)
def test_the_chain_doubles_or_goes_in_equal_ratios(
    width: int, final: int, steps: int, widths: list[int]
) -> None:
    assert chain(width, final, steps) == widths


def test_a_depthwise_convolution_uses_the_leading_channels() -> None:
    layer, maps = Depthwise(8, 2), torch.randn(2, 5, 6, 6)
    weight = layer.widest.weight
    each = [F.conv2d(maps[:, c : c + 1], weight[c : c + 1], None, 2, 1) for c in range(5)]
    torch.testing.assert_close(layer(maps), torch.cat(each, 1))


def test_a_separable_convolution_is_as_wide_as_its_maps_until_it_widens(
    stirred: Stirred, sliced: Cut
) -> None:
    widest = stirred(SepConv(16, 24))
    narrow = sliced(SepConv(9, 24), widest)
    maps = torch.randn(2, 9, 6, 6)
    assert widest(maps).shape == (2, 24, 3, 3)
    torch.testing.assert_close(widest(maps), narrow(maps), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (7, 8)])
def test_attention_weighs_a_map_of_any_size(size: tuple[int, int]) -> None:
    maps = torch.rand(2, 5, *size) + 0.1
    weights = Attention(8)(maps) / maps
    assert weights.shape == maps.shape
    assert bool((weights >= 0.5 - 1e-6).all()) and bool((weights < 1).all())  # after a ReLU


@pytest.mark.parametrize("width", [1, 5, 16])
@pytest.mark.parametrize("size", [(1, 1), (4, 4), (9, 6)])
def test_any_map_gets_logits(width: int, size: tuple[int, int]) -> None:
    auxiliary = AuxiliaryClassifier(16, 2, 4, 7, 50)
    for batch in (1, 2):
        assert auxiliary(torch.randn(batch, width, *size)).shape == (batch, 7)


@pytest.mark.parametrize("stage", [2, 3])
def test_a_narrower_map_sees_a_slice(stage: int, stirred: Stirred, sliced: Cut) -> None:
    """The chain's later widths are the widest student's."""
    widest = stirred(AuxiliaryClassifier(16, stage, 4, 7, 64))
    narrow = AuxiliaryClassifier(9, stage, 4, 7, 64)
    for step, layer in enumerate(widest.scala):
        inputs = layer.mix.widest.in_channels if step else 9
        narrow.scala[step] = SepConv(inputs, layer.widen.widest.out_channels)
    sliced(narrow, widest)
    maps = torch.randn(2, 9, 8, 8)
    torch.testing.assert_close(widest(maps), narrow(maps), rtol=1e-4, atol=1e-5)


def test_absent_channels_get_no_gradient() -> None:
    auxiliary = AuxiliaryClassifier(16, 3, 4, 7, 32)
    auxiliary(torch.randn(2, 9, 8, 8)).square().sum().backward()
    for conv in (auxiliary.attention.conv, auxiliary.scala[0]):
        for gradient in (
            conv.halve.widest.weight.grad,
            conv.spread.widest.weight.grad,
            conv.mix_norm.widest.weight.grad,
            conv.mix.widest.weight.grad.transpose(0, 1),
            conv.mix.widest.weight.grad,
            conv.widen.widest.weight.grad.transpose(0, 1),
        ):
            assert bool(gradient[:9].any()) and not bool(gradient[9:].any())


def test_the_logits_vary_alike_at_every_width() -> None:
    torch.manual_seed(0)
    auxiliary, maps = AuxiliaryClassifier(64, 2, 4, 50, 256), torch.randn(64, 64, 8, 8)
    widest = float(auxiliary(maps).detach().std())
    for width in (8, 24):
        assert float(auxiliary(maps[:, :width]).detach().std()) == pytest.approx(
            widest, rel=0.2
        )


def test_its_state_is_loaded_whole(stirred: Stirred) -> None:
    first, second = (AuxiliaryClassifier(16, 2, 4, 7, 64) for _ in range(2))
    second.load_state_dict(stirred(first).state_dict())
    maps = torch.randn(2, 9, 8, 8)
    assert torch.equal(first(maps), second(maps))

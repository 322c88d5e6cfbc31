"""Where stages end, in torchvision's networks and in small ones of every awkward kind."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torchvision.models import get_model

from kdsearch.errors import TeacherError
from kdsearch.nets.taps import find_taps, tap

ENDS = {
    "resnet18": [
        ("relu", 64, 32),
        ("layer1", 64, 16),
        ("layer2", 128, 8),
        ("layer3", 256, 4),
        ("layer4", 512, 2),
    ],
    "mobilenet_v3_small": [
        ("features.0", 16, 32),
        ("features.1", 16, 16),
        ("features.3", 24, 8),
        ("features.8", 48, 4),
        ("features", 576, 2),
    ],
    "vgg11_bn": [
        ("features.2", 64, 64),
        ("features.6", 128, 32),
        ("features.13", 256, 16),
        ("features.20", 512, 8),
        ("features.27", 512, 4),
        ("features", 512, 2),
    ],
    "vit_b_16": [("conv_proj", 768, 14)],
    "convnext_tiny": [
        ("features.1", 96, 16),
        ("features.3", 192, 8),
        ("features.5", 384, 4),
        ("features", 768, 2),
    ],
}
"""(module, channels, side) of each stage's end: before each change of resolution, read off the
networks' definitions, at 64 px (vit_b_16 at 224)."""

HEADS = {
    "resnet18": ("fc", 512),
    "mobilenet_v3_small": ("classifier.3", 1024),
    "vgg11_bn": ("classifier.6", 4096),
    "vit_b_16": ("heads.head", 768),
    "convnext_tiny": ("classifier.2", 768),
}


@pytest.mark.parametrize("name", ENDS)
def test_stage_ends_of_torchvision_networks(name: str) -> None:
    """On the meta device: shapes without arithmetic."""
    side = 224 if name == "vit_b_16" else 64
    with torch.device("meta"):
        network, images = get_model(name, weights=None), torch.empty(2, 3, side, side)
    tapped = tap(network, images)
    assert list(tapped.taps) == [module for module, _, _ in ENDS[name]]
    out = tapped.eval()(images)
    assert [tuple(feat.shape) for feat in out.feats] == [
        (2, channels, end, end) for _, channels, end in ENDS[name]
    ]
    assert out.logits.shape == (2, 1000)
    assert (tapped.head, out.pooled.shape) == (HEADS[name][0], (2, HEADS[name][1]))


def small() -> nn.Sequential:
    """Two stages of 8 and 4 px, and a head over 6 features."""
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1),
        nn.Sequential(nn.Conv2d(4, 6, 3, 2, 1), nn.ReLU()),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(6, 5),
    )


def test_feats_pooled_and_logits_are_what_the_modules_gave() -> None:
    network, images = small().eval(), torch.randn(2, 3, 8, 8)
    out = tap(network, images)(images)
    first, second = network[0](images), network[1](network[0](images))
    assert torch.equal(out.feats[0], first)
    assert torch.equal(out.feats[1], second)
    assert torch.equal(out.pooled, second.mean((2, 3), keepdim=True).flatten(1))
    assert torch.equal(out.logits, network(images))


def test_named_taps_take_the_place_of_the_found_ones() -> None:
    network, images = small(), torch.randn(2, 3, 8, 8)
    assert tap(network, images).taps == ("0", "1")
    tapped = tap(network, images, ("1.0",))
    assert tapped.taps == ("1.0",)
    assert torch.equal(tapped(images).feats[0], network[1][0](network[0](images)))


@pytest.mark.parametrize(
    ("name", "words"),
    [("layer", "did you mean 'layer1'"), ("fc", "gives no"), ("layer1.0", "no module")],
)
def test_a_wrong_name_is_refused_with_a_way_out(name: str, words: str) -> None:
    network = nn.Sequential()
    network.add_module("layer1", nn.Conv2d(3, 4, 3))
    network.add_module("flat", nn.Flatten())
    network.add_module("fc", nn.Linear(144, 5))
    with pytest.raises(TeacherError, match=words):
        tap(network, torch.randn(1, 3, 8, 8), [name])


def test_probing_changes_nothing() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten()).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    tapped = tap(network, torch.randn(4, 3, 8, 8))
    assert all(module.training for module in network.modules())
    assert all(torch.equal(before[name], v) for name, v in network.state_dict().items())
    tapped(torch.randn(4, 3, 8, 8))
    assert not any(module._forward_hooks for module in network.modules())
    assert not any(module._forward_pre_hooks for module in network.modules())


def test_hooks_go_also_when_the_network_fails() -> None:
    network = small()
    tapped = tap(network, torch.randn(2, 3, 8, 8))
    with pytest.raises(RuntimeError):
        tapped(torch.randn(2, 7, 8, 8))
    assert not any(module._forward_hooks for module in network.modules())
    assert not any(module._forward_pre_hooks for module in network.modules())


def test_gradients_flow_through_the_feats() -> None:
    network, images = small(), torch.randn(2, 3, 8, 8)
    sum(feat.sum() for feat in tap(network, images)(images).feats).backward()
    assert network[0].weight.grad is not None and bool(network[0].weight.grad.any())


@pytest.mark.parametrize(
    ("seen", "ends"),
    [
        # an inverted bottleneck expands before it strides: the block's end, not its inside
        ([("a", (1, 4, 8, 8)), ("b.0", (1, 9, 8, 8)), ("b", (1, 6, 4, 4))], ["a", "b"]),
        # squeeze-and-excite maps of 1 x 1 are no stage
        ([("a.0", (1, 4, 8, 8)), ("a.1", (1, 4, 1, 1)), ("a", (1, 4, 8, 8))], ["a"]),
        # pooling up to a fixed size is no stage
        ([("a", (1, 4, 8, 8)), ("b", (1, 6, 2, 2)), ("pool", (1, 6, 7, 7))], ["a", "b"]),
        # channels-last maps read as wide images are no stage
        ([("a", (1, 9, 4, 4)), ("b", (1, 4, 4, 9)), ("c", (1, 9, 2, 2))], ["a", "c"]),
        ([], []),
    ],
)
def test_stage_ends_of_awkward_networks(
    seen: list[tuple[str, tuple[int, ...]]], ends: list[str]
) -> None:
    assert find_taps(seen) == ends


class Gated(nn.Module):
    """A linear layer as a gate, and convolutional logits: no linear head."""

    def __init__(self, final: Callable[[Tensor], Tensor] | None = None) -> None:
        super().__init__()
        self.body = nn.Conv2d(3, 4, 1)
        self.gate = nn.Linear(4, 4)
        self.final = nn.Conv2d(4, 5, 1)

    def forward(self, images: Tensor) -> Tensor:
        maps = self.body(images)
        gate = self.gate(maps.mean((2, 3)))
        return self.final(maps * gate[:, :, None, None]).mean((2, 3))


def test_a_linear_layer_within_is_no_head() -> None:
    images = torch.randn(2, 3, 8, 8)
    tapped = tap(Gated(), images)
    assert tapped.head is None
    assert tapped(images).pooled is None


class Auxiliary(nn.Module):
    """In train mode: logits and auxiliary ones, as googlenet and inception_v3 give them."""

    def __init__(self) -> None:
        super().__init__()
        self.body = small()

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        logits = self.body(images)
        return (logits, logits * 0) if self.training else logits


def test_auxiliary_logits_of_train_mode_are_left_out() -> None:
    network, images = Auxiliary().train(), torch.randn(2, 3, 8, 8)
    assert torch.equal(tap(network, images)(images).logits, network.body(images))

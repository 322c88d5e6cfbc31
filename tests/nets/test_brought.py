"""How a brought network sees kdsearch's images: size, channels, scale, each by hand."""

import pytest
import torch
from torch import Tensor, nn

from kdsearch.errors import TeacherError
from kdsearch.nets.brought import Brought, View, bring, input_channels, replace_head, show

GREY = View(channels=1, data_mean=(0.5,), data_std=(0.25,))


def network(channels: int = 3, classes: int = 5, *, bias: bool = True) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(4, classes, bias=bias),
    )


def test_without_wishes_images_arrive_as_they_are() -> None:
    images = torch.randn(2, 1, 8, 8)
    assert show(images, GREY, 1) is images


def test_renormalising_by_hand() -> None:
    """Pixel 0.75 is (0.75 - 0.5) / 0.25 = 1 to us, (0.75 - 0.4) / 0.2 = 1.75 to the network."""
    view = View(1, (0.5,), (0.25,), mean=(0.4,), std=(0.2,))
    shown = show(torch.tensor([[[[1.0, -2.0]]]]), view, 1)
    torch.testing.assert_close(shown, torch.tensor([[[[1.75, -2.0]]]]))


@pytest.mark.parametrize(
    ("mean", "std", "shown"), [((0.4,), None, 1.4), (None, (0.2,), 1.25), (None, None, 1.0)]
)
def test_what_is_not_told_is_the_datas(
    mean: tuple[float, ...] | None, std: tuple[float, ...] | None, shown: float
) -> None:
    view = View(1, (0.5,), (0.25,), mean=mean, std=std)
    torch.testing.assert_close(
        show(torch.ones(1, 1, 1, 1), view, 1), torch.full((1, 1, 1, 1), shown)
    )


def test_grey_becomes_rgb_each_in_its_own_scale() -> None:
    view = View(1, (0.5,), (0.25,), mean=(0.25, 0.5, 0.75), std=(0.5, 0.25, 0.125))
    shown = show(torch.ones(1, 1, 1, 1), view, 3)  # pixel 0.75
    torch.testing.assert_close(shown.flatten(), torch.tensor([1.0, 1.0, 0.0]))


def test_rgb_is_renormalised_channel_by_channel() -> None:
    view = View(3, (0.1, 0.2, 0.3), (0.5, 0.25, 0.2), mean=(0.0, 0.2, 0.1), std=(1.0, 0.5, 0.1))
    images = torch.tensor([1.0, 2.0, -1.0]).view(1, 3, 1, 1)  # pixels 0.6, 0.7, 0.1
    shown = show(images, view, 3)
    torch.testing.assert_close(shown.flatten(), torch.tensor([0.6, 1.0, 0.0]))


def test_resizing_keeps_a_ramp_and_a_constant() -> None:
    view = View(1, (0.5,), (0.25,), size=16)
    ramp = torch.arange(8.0).expand(1, 1, 8, 8)
    shown = show(ramp, view, 1)
    assert shown.shape == (1, 1, 16, 16)
    # halves of pixels: source coordinate of column 5 is (5 + 0.5) / 2 - 0.5 = 2.25
    torch.testing.assert_close(shown[0, 0, :, 5], torch.full((16,), 2.25))
    torch.testing.assert_close(show(torch.ones(1, 1, 8, 8), view, 1), torch.ones(1, 1, 16, 16))


def test_shrinking_averages_over_what_it_leaves_out() -> None:
    """Antialiasing: stripes become grey rather than the colour in the middle."""
    stripes = torch.tensor([1.0, -1.0, -1.0, 1.0]).repeat(4).expand(1, 1, 16, 16)
    shown = show(stripes, View(1, (0.5,), (0.25,), size=4), 1)
    assert shown.shape == (1, 1, 4, 4)
    assert float(shown.mean().abs()) < 0.1


def test_a_brought_network_computes_what_it_computes_on_shown_images() -> None:
    view = View(1, (0.5,), (0.25,), size=16, mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.4))
    module, images = network(), torch.randn(2, 1, 8, 8)
    brought = bring(module, view, images, None).eval()
    shown = show(images, view, 3)
    assert shown.shape == (2, 3, 16, 16)
    out = brought(images)
    assert torch.equal(out.logits, module(shown))
    assert out.feats[0].shape == (2, 4, 16, 16)


def test_the_first_convolution_says_how_many_channels() -> None:
    assert input_channels(network(7), 3) == 7
    assert input_channels(nn.Linear(2, 2), 3) == 3


class Pair(nn.Module):
    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return images, images


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (nn.Flatten(0), r"gives a tensor \(128,\) for 2 images"),
        (Pair(), "gives tuple for 2 images"),
        (nn.Linear(3, 3), r"cannot run on images \(1, 8, 8\).*teacher.input.size"),
        (nn.Conv2d(1, 2, 9), r"cannot run on images \(1, 8, 8\)"),
    ],
)
def test_what_gives_no_logits_is_refused(module: nn.Module, words: str) -> None:
    with pytest.raises(TeacherError, match=words) as caught:
        bring(module, GREY, torch.randn(2, 1, 8, 8), None)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["mean", "std"])
def test_a_scale_of_too_few_numbers_is_refused(name: str) -> None:
    view = View(1, (0.5,), (0.25,), **{name: (0.5, 0.5)})
    with pytest.raises(TeacherError, match=f"input.{name} has 2 numbers.* 3 channels"):
        bring(network(3), view, torch.randn(2, 1, 8, 8), None)


def brought(module: nn.Module) -> Brought:
    return bring(module, GREY, torch.randn(2, 1, 8, 8), None)


@pytest.mark.parametrize("bias", [True, False])
def test_a_new_head_takes_the_place_of_the_last_one(bias: bool) -> None:
    module = network(1, 5, bias=bias)
    whole = brought(module)
    head = replace_head(whole, 9)
    assert module[5] is head
    assert (head.in_features, head.out_features, head.bias is not None) == (4, 9, bias)
    assert whole.eval()(torch.randn(2, 1, 8, 8)).logits.shape == (2, 9)


def test_a_network_without_a_linear_head_gets_no_new_one() -> None:
    module = nn.Sequential(nn.Conv2d(1, 5, 8), nn.Flatten())
    with pytest.raises(TeacherError, match="does not end in a linear layer"):
        replace_head(brought(module), 9)


def test_head_only_keeps_the_body_in_eval_mode() -> None:
    whole = brought(network(1))
    whole.train()
    assert all(module.training for module in whole.modules())
    whole.head_only = True
    whole.train()
    assert not any(module.training for module in whole.modules())
    whole.head_only = False
    whole.train()
    assert all(module.training for module in whole.modules())

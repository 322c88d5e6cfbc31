"""A network that somebody brought: sees kdsearch's images as it was trained to see them."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.errors import TeacherError
from kdsearch.nets.taps import Tapped, tap
from kdsearch.output import Output


@dataclass(frozen=True, slots=True)
class View:
    """How images reach the network: from the data's normalisation to its own."""

    channels: int
    data_mean: tuple[float, ...]
    data_std: tuple[float, ...]
    size: int | None = None
    """Square size in pixels it wants; None leaves the data's."""
    mean: tuple[float, ...] | None = None
    """Its own normalisation, on the [0, 1] scale; None leaves the data's."""
    std: tuple[float, ...] | None = None


class Brought(nn.Module):
    """Resizes, repeats a grey channel, renormalises, and runs the network with its taps.

    While `head_only` is set the body stays in eval mode: a new head is fitted on frozen
    features and frozen statistics.
    """

    def __init__(self, body: Tapped, view: View, wants_channels: int) -> None:
        super().__init__()
        self.body = body
        self.view = view
        self.wants_channels = wants_channels
        self.head_only = False

    def train(self, mode: bool = True) -> "Brought":
        super().train(mode and not self.head_only)
        return self

    def forward(self, images: Tensor) -> Output:
        return self.body(show(images, self.view, self.wants_channels))  # type: ignore[no-any-return]


def show(images: Tensor, view: View, wants_channels: int) -> Tensor:
    """Images (batch, channels, height, width) in the network's size, channels and scale."""
    renormalises = view.mean is not None or view.std is not None
    if renormalises:
        images = images * _column(view.data_std, images) + _column(view.data_mean, images)
    if images.shape[1] == 1 and wants_channels > 1:
        images = images.expand(-1, wants_channels, -1, -1)
    if view.size is not None and view.size != images.shape[-1]:
        images = F.interpolate(
            images,
            size=(view.size, view.size),
            mode="bilinear",
            antialias=view.size < images.shape[-1],  # does nothing upwards, and ONNX has none
        )
    if renormalises:
        mean, std = view.mean or view.data_mean, view.std or view.data_std
        images = (images - _column(mean, images)) / _column(std, images)
    return images


def _column(numbers: Sequence[float], like: Tensor) -> Tensor:
    return torch.tensor(numbers, dtype=like.dtype, device=like.device).view(1, -1, 1, 1)


def bring(
    module: nn.Module, view: View, example: Tensor, taps: Sequence[str] | None
) -> Brought:
    """Wraps a brought module after one probe forward of `example` (normalised by the data).

    Raises:
        TeacherError: it cannot run on these images, or gives no (batch, classes) logits.
    """
    wants_channels = input_channels(module, view.channels)
    for name, numbers in (("mean", view.mean), ("std", view.std)):
        if numbers is not None and len(numbers) not in (1, wants_channels):
            raise TeacherError(
                f"teacher.input.{name} has {len(numbers)} numbers; "
                f"the teacher takes {wants_channels} channels"
            )
    shown = show(example, view, wants_channels)
    try:
        with torch.no_grad():
            logits = module.eval()(shown)
    except Exception as error:
        raise TeacherError(
            f"the teacher cannot run on images {tuple(shown.shape[1:])}: "
            f"{type(error).__name__}: {str(error).splitlines()[0]}; set teacher.input.size"
        ) from error
    if not isinstance(logits, Tensor) or logits.ndim != 2:
        raise TeacherError(
            f"the teacher gives {_shape(logits)} for {shown.shape[0]} images; "
            "needs one row of logits per image, (batch, classes)"
        )
    return Brought(tap(module, shown, taps), view, wants_channels)


def _shape(out: object) -> str:
    return f"a tensor {tuple(out.shape)}" if isinstance(out, Tensor) else type(out).__name__


def input_channels(module: nn.Module, default: int) -> int:
    """Channels the first convolution takes; `default` where there is none."""
    for child in module.modules():
        if isinstance(child, nn.Conv2d):
            return child.in_channels
    return default


def head_name(network: Brought) -> str:
    """Name, within the brought module, of the linear layer that gives the logits.

    Raises:
        TeacherError: the network does not end in a linear layer.
    """
    name = network.body.head
    if name is None:
        raise TeacherError(
            "the teacher does not end in a linear layer, so no head can be fitted; "
            "give it one with your data's classes"
        )
    return name


def replace_head(network: Brought, classes: int) -> nn.Linear:
    """Puts a fresh linear head of `classes` outputs in place of the last one, and returns it.

    Raises:
        TeacherError: see `head_name`.
    """
    name = head_name(network)
    parent, _, last = name.rpartition(".")
    owner = network.body.module.get_submodule(parent)
    old = getattr(owner, last)
    head = nn.Linear(old.in_features, classes, bias=old.bias is not None)
    head.to(old.weight.device)
    setattr(owner, last, head)
    return head


def fit_head(network: Brought, classes: int) -> None:
    """Replaces the head if it tells another number of classes apart."""
    name = network.body.head
    if name is not None and network.body.module.get_submodule(name).out_features != classes:
        replace_head(network, classes)

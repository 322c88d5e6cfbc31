"""Any module as a network of kdsearch: logits, stage-end feature maps and pooled features.

The one file that registers hooks. A stage ends where the spatial size is about to shrink, and
at the last feature map.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from kdsearch.errors import TeacherError, did_you_mean
from kdsearch.nets.evaluating import evaluating
from kdsearch.output import Output


class Tapped(nn.Module):
    """Wraps a module whose forward gives (batch, classes) logits.

    Args:
        module: the network.
        taps: names of the modules whose (batch, channels, height, width) outputs are feats,
            shallow to deep; see `find_taps`.
        head: name of the linear layer whose input is `pooled`, if there is one.
    """

    def __init__(self, module: nn.Module, taps: Sequence[str], head: str | None) -> None:
        super().__init__()
        self.module = module
        self.taps = tuple(taps)
        self.head = head

    def forward(self, images: Tensor) -> Output:
        named = dict(self.module.named_modules())
        feats: dict[str, Tensor] = {}
        pooled: list[Tensor] = []

        def keep(name: str) -> object:
            return named[name].register_forward_hook(
                lambda _module, _inputs, out: feats.__setitem__(name, out)
            )

        hooks = [keep(name) for name in self.taps]
        if self.head is not None:
            hooks.append(
                named[self.head].register_forward_pre_hook(
                    lambda _module, inputs: pooled.append(inputs[0])
                )
            )
        try:
            logits = self.module(images)
        finally:
            for hook in hooks:
                hook.remove()  # type: ignore[attr-defined]
        if not isinstance(logits, Tensor):
            logits = logits[0]  # in train mode some of torchvision's add auxiliary logits
        return Output(
            logits, tuple(feats[name] for name in self.taps), pooled[-1] if pooled else None
        )


def tap(module: nn.Module, example: Tensor, taps: Sequence[str] | None = None) -> Tapped:
    """Wraps `module` with the taps named, or found by one probe forward of `example`.

    Raises:
        TeacherError: a name is not a module of the network, or gives no feature map.
    """
    seen, head = _probe(module, example)
    if taps is None:
        return Tapped(module, find_taps(seen), head)
    names = {name for name, _ in module.named_modules()}
    for name in taps:
        if name not in names:
            raise TeacherError(f"no module '{name}' to tap; {did_you_mean(name, names - {''})}")
        if name not in dict(seen):
            raise TeacherError(
                f"module '{name}' gives no (batch, channels, height, width) output; "
                f"feature maps here: {', '.join(n for n, _ in seen[:8])}"
            )
    return Tapped(module, taps, head)


def find_taps(seen: Sequence[tuple[str, tuple[int, ...]]]) -> list[str]:
    """One module per shrinking spatial size, in the order of running: the last of the least
    nested.

    The least nested, so that a stage ends at a block's output rather than inside the next
    block, where an inverted bottleneck expands before it strides. A larger map after a smaller
    one is no stage: vgg's adaptive pooling to 7x7, or channels-last maps read as wide images.

    Args:
        seen: (name, output shape) of every module that gave a feature map, as they finished.
    """
    best: dict[tuple[int, ...], str] = {}
    smallest = math.inf
    for name, shape in seen:
        size, area = shape[2:], shape[2] * shape[3]
        if area <= 1 or area > smallest:
            continue
        smallest = area
        if size not in best or name.count(".") <= best[size].count("."):
            best[size] = name
    return list(best.values())


def _probe(
    module: nn.Module, example: Tensor
) -> tuple[list[tuple[str, tuple[int, ...]]], str | None]:
    """Feature maps of each named module in the order they finish, and the linear layer whose
    output has the logits' shape, if any: a linear layer before it (an attention's) is no head.
    """
    seen: list[tuple[str, tuple[int, ...]]] = []
    linears: list[tuple[str, tuple[int, ...]]] = []

    def note(name: str, out: object, is_linear: bool) -> None:
        if isinstance(out, Tensor) and out.ndim == 4:
            seen.append((name, tuple(out.shape)))
        if is_linear and isinstance(out, Tensor) and out.ndim == 2:
            linears.append((name, tuple(out.shape)))

    hooks = [
        child.register_forward_hook(
            lambda m, _inputs, out, name=name: note(name, out, isinstance(m, nn.Linear))
        )
        for name, child in module.named_modules()
        if name
    ]
    try:
        with evaluating(module), torch.no_grad():
            logits = module(example)
    finally:
        for hook in hooks:
            hook.remove()
    heads = [name for name, shape in linears if shape == logits.shape]
    return seen, heads[-1] if heads else None

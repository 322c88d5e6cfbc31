"""What one forward pass does, by kind of operation: MACs, bytes moved, calls.

Counted on the meta device, as `size` counts: nothing is computed, and any module will do. An
operation's kind is its arithmetic and, of convolutions, the kernel, whether each filter sees
one channel, and the size of the map: a multiply-accumulate of a depthwise filter on a small map
takes another time than one of a 1x1 convolution on a large one.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from kdsearch.core.records import Architecture
from kdsearch.measure.size import without_norms

BYTES = 4
"""Of a number, in float32."""
QUANTITIES = ("macs", "bytes", "calls")


class Tally(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's own
    """Counts whatever runs within its block; operations that only look at a tensor's numbers in
    another shape move nothing."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.counts: Counter[str] = Counter()

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        given = dict(kwargs or {})
        out = func(*args, **given)
        if not is_view(func):
            kind = kind_of(func, args)
            results = [one for one in tree_leaves(out) if isinstance(one, Tensor)]
            inputs = [one for one in tree_leaves((args, given)) if isinstance(one, Tensor)]
            flops = flop_registry.get(func.overloadpacket)
            if flops is not None:
                self.counts[f"{kind} macs"] += flops(*args, **given, out_val=out) // 2
            self.counts[f"{kind} bytes"] += BYTES * sum(t.numel() for t in (*inputs, *results))
            self.counts[f"{kind} calls"] += 1
        return out


def footprint(module: nn.Module, shape: Sequence[int]) -> dict[str, float]:
    """'convolution 3x3 on 16 macs', 'product bytes', … to numbers, of one image.

    Args:
        module: on the meta device, or small: it is taken there; its batch norms are changed.
        shape: (channels, height, width).
    """
    outline = without_norms(module).to("meta").eval()
    images = torch.empty(1, *shape, device="meta")
    with torch.no_grad(), Tally() as tally:
        outline(images)
    return {name: float(count) for name, count in sorted(tally.counts.items())}


def footprint_of(
    build: Callable[[Architecture], nn.Module], architecture: Architecture, shape: Sequence[int]
) -> dict[str, float]:
    """Of a network that is built for it, on the meta device."""
    with torch.device("meta"):
        network = build(architecture)
    return footprint(network, shape)


def totals(counted: Mapping[str, float]) -> dict[str, float]:
    """Of all kinds together, by quantity."""
    return {
        quantity: sum(n for name, n in counted.items() if name.endswith(f" {quantity}"))
        for quantity in QUANTITIES
    }


def is_view(func: Any) -> bool:
    """Whether its result is its input, seen otherwise; or nothing but a place for one."""
    returned = func._schema.returns
    sees = any(r.alias_info is not None and not r.alias_info.is_write for r in returned)
    return sees or func.overloadpacket in (
        torch.ops.aten._unsafe_view,
        torch.ops.aten.detach,
        torch.ops.aten.empty,
    )


def kind_of(func: Any, args: Sequence[Any]) -> str:
    if func.overloadpacket is torch.ops.aten.convolution:
        return convolution(args)
    return "product" if func.overloadpacket in flop_registry else "pointwise"


def convolution(args: Sequence[Any]) -> str:
    """'convolution 1x1 on 8', 'depthwise 5x5 on 4': kernel, and the side of the map made."""
    images, weight, stride, groups = args[0], args[1], args[3], args[8]
    kernel = "x".join(map(str, weight.shape[2:]))
    side = math.ceil(images.shape[-1] / stride[-1])
    name = "depthwise" if groups > 1 and weight.shape[1] == 1 else "convolution"
    return f"{name} {kernel} on {side}"

"""A network and its images where and as they are called: device, precision, memory layout."""

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

import torch
from torch import Tensor, nn

from kdsearch.runtimes.runtime import Array, Calling

PRECISIONS: Mapping[str, torch.dtype] = MappingProxyType(
    {"float32": torch.float32, "bf16": torch.bfloat16}
)
LAYOUTS: Mapping[str, torch.memory_format] = MappingProxyType(
    {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
)


def placed(module: nn.Module, calling: Calling, device: str = "cpu") -> nn.Module:
    """A copy in evaluation mode; weights and statistics are in the calling's precision."""
    network = copy.deepcopy(module).to(device=device, dtype=PRECISIONS[calling.precision])
    network = network.to(memory_format=LAYOUTS[calling.layout])
    return network.eval()


def tensor(images: Array, calling: Calling, device: str = "cpu") -> Tensor:
    """No copy where the array is laid out, and is as precise, as the network is called."""
    return torch.from_numpy(images).to(
        device=device,
        dtype=PRECISIONS[calling.precision],
        memory_format=LAYOUTS[calling.layout],
    )


def array(logits: Tensor) -> Array:
    """Float32, on the processor."""
    found: Array = logits.float().cpu().numpy()
    return found


@contextmanager
def pinned(threads: int) -> Iterator[None]:
    """PyTorch's thread count inside the block; the old one comes back (0.1 µs each way)."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)

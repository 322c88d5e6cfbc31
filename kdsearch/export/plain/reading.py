"""How a written-out student finds its weights with torch alone: copied into its file.

The safetensors format (huggingface/safetensors, README, "Format"): eight bytes with the length
of a JSON header, the header, the tensors' bytes. Nothing in it is executed.
"""

import hashlib
import json
import math
from pathlib import Path

import torch
from torch import Tensor, nn

CHANNELS: int
SIDE: int
MEAN: tuple[float, ...]
STD: tuple[float, ...]
CLASSES: tuple[str, ...]
SHA256: str
DTYPES: dict[str, torch.dtype]


class Student(nn.Module):
    """In its place stands the family's; here it has a name alone."""


def normalise(pixels: Tensor) -> Tensor:
    """Pixels from 0 to 255, (batch, channels, height, width), as it sees them."""
    mean = torch.tensor(MEAN).view(-1, 1, 1)
    return (pixels.float() / 255 - mean) / torch.tensor(STD).view(-1, 1, 1)


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file; raises ValueError for a damaged one."""
    content = bytearray(path.read_bytes())
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise ValueError(f"{path}: not the weights that this file was written for")
    begin = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:begin])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        dtype, shape = DTYPES[entry["dtype"]], entry["shape"]
        start, end = (begin + offset for offset in entry["data_offsets"])
        size = math.prod(shape) * dtype.itemsize
        if not begin <= start <= end <= len(content) or end - start != size:
            raise ValueError(f"{path}: '{name}' does not lie within the file")
        data = memoryview(content)[start:end]
        tensors[name] = torch.frombuffer(data, dtype=dtype).reshape(shape).clone()
    return tensors


def load(weights: str | Path | None = None) -> Student:
    """The trained student, ready to be called; its weights lie beside this file."""
    path = Path(weights or Path(__file__).with_name("model.safetensors"))
    student = Student()
    student.load_state_dict(read_weights(path))
    return student.eval()


PARTS = (normalise, read_weights, load)

"""The student's weights as safetensors: one file, whichever formats read it."""

import hashlib
from pathlib import Path

import safetensors.torch
from torch import nn

from kdsearch.files import write_bytes
from kdsearch.nets.logits import bare

WEIGHTS = "model.safetensors"


def written_weights(student: nn.Module, folder: Path) -> str:
    """Writes them; their SHA-256."""
    state = bare(student).state_dict()
    content = safetensors.torch.save({k: tensor.contiguous() for k, tensor in state.items()})
    write_bytes(folder / WEIGHTS, content)
    return hashlib.sha256(content).hexdigest()

"""Weights from a file: safetensors, or a PyTorch state dict read as data alone."""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from kdsearch.errors import TeacherError


def read_weights(path: Path) -> dict[str, Tensor]:
    """A state dict, also where a training script wrapped it in 'state_dict' or 'model'.

    Raises:
        TeacherError: the file is not there, or holds more than tensors.
    """
    if not path.exists():
        raise TeacherError(f"teacher.weights: no file {path}")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise TeacherError(
            f"teacher.weights: {path} is no readable state dict "
            f"({type(error).__name__}); save it as torch.save(net.state_dict(), …)"
        ) from error
    for key in ("state_dict", "model"):
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    if not isinstance(content, dict) or not all(
        isinstance(v, Tensor) for v in content.values()
    ):
        raise TeacherError(
            f"teacher.weights: {path} holds no state dict (name → tensor); "
            "save it as torch.save(net.state_dict(), …)"
        )
    return {k.removeprefix("module."): v for k, v in content.items()}


def load_weights(network: nn.Module, state: dict[str, Tensor], path: Path) -> None:
    """Loads a state dict; says in one line what does not fit."""
    own = network.state_dict()
    missing = [k for k in own if k not in state]
    odd = [k for k, v in state.items() if k not in own or own[k].shape != v.shape]
    if missing or odd:
        raise TeacherError(
            f"teacher.weights: {path} does not fit the network: {len(missing)} missing, "
            f"{len(odd)} unknown or of another shape, first {(missing + odd)[0]}"
        )
    network.load_state_dict(state)

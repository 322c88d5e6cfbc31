"""Weights that a run keeps, read back."""

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from kdsearch.files import damaged


def kept_weights(network: nn.Module) -> bytes:
    """What a weights file of ours holds: the state dict, on the processor."""
    return save({k: v.detach().cpu().contiguous() for k, v in network.state_dict().items()})


def stored_weights(path: Path, *, within: Path | None = None) -> dict[str, Tensor]:
    """A state dict of ours; `within` is what has to go for it to be made again.

    Raises:
        RunError: the file is not there, or was damaged since.
    """
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        reason = "is not there" if isinstance(error, FileNotFoundError) else "no whole weights"
        raise damaged(path, reason, within) from error

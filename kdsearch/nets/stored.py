"""Weights that a run keeps, read back."""

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from kdsearch.files import damaged
from kdsearch.places import Place


def kept_weights(network: nn.Module) -> bytes:
    """What a weights file of ours holds: the state dict, on the processor."""
    return save({k: v.detach().cpu().contiguous() for k, v in network.state_dict().items()})


def stored_weights(path: Place, *, within: Place | None = None) -> dict[str, Tensor]:
    """A state dict of ours; `within` is what has to go for it to be made again.

    Raises:
        RunError: the file is not there, or was damaged since.
    """
    try:
        return load(path.read_bytes())
    except (OSError, SafetensorError) as error:
        reason = "is not there" if isinstance(error, FileNotFoundError) else "no whole weights"
        raise damaged(path, reason, within) from error

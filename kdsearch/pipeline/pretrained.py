"""`kdsearch.from_pretrained`: a student that was exported to safetensors, as a module again."""

from pathlib import Path

from torch import nn

from kdsearch.errors import ArtefactError, UserError
from kdsearch.export.extras import need
from kdsearch.export.original import reason_of
from kdsearch.export.safetensors import CONFIG, Safetensors, pretrained, read_spec
from kdsearch.export.weights import WEIGHTS


def from_pretrained(
    name: str | Path, *, revision: str | None = None, trust_code: bool = False
) -> nn.Module:
    """The trained network; its forward takes normalised images and gives logits.

    Args:
        name: a folder with model.safetensors and config.json, or the name of a repository of
            Hugging Face's hub, which takes the extra `hub`.
        revision: of a repository.
        trust_code: a network of your own is built by your code, which this runs.

    Raises:
        UserError: there is none, or it would run code that is not kdsearch's.
    """
    folder = Path(name) if Path(name).is_dir() else downloaded(str(name), revision)
    spec = read_spec(folder)
    if not trust_code:
        Safetensors().guard(folder, spec)
    try:
        return pretrained(folder)
    except UserError:
        raise
    except Exception as error:  # of safetensors, or of a network that is built of other numbers
        raise ArtefactError(
            f"{folder}: {WEIGHTS} and {CONFIG} make no student ({reason_of(error)})"
        ) from error


def downloaded(name: str, revision: str | None) -> Path:
    """Two files of a repository, and nothing else of it."""
    if name.count("/") != 1 or name.startswith((".", "/")):
        raise UserError(f"{name}: no folder here, and no name of a repository (owner/name)")
    need("huggingface_hub", f"{name}: loading from a hub", extra="hub")
    from huggingface_hub import snapshot_download

    try:
        found = snapshot_download(name, revision=revision, allow_patterns=[CONFIG, WEIGHTS])
    except Exception as error:  # of the network, of the hub, of a disk
        raise UserError(f"{name}: not to be had from the hub ({reason_of(error)})") from error
    return Path(found)

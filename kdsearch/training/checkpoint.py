"""A checkpoint inside a stage: weights, optimiser, average, curve, in one safetensors file."""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from kdsearch.files import damaged, write_bytes
from kdsearch.places import Place


@dataclass(slots=True)
class Progressed:
    """How far a run has come, beside the weights themselves."""

    step: int = 0
    average: dict[str, Tensor] = field(default_factory=dict)
    """Running average of each parameter, by name."""
    curve: list[tuple[int, float]] = field(default_factory=list)
    """(step, mean loss since the last entry)."""
    best_cross_entropy: float = float("inf")
    rollbacks: int = 0
    """How often it went wrong and came back to a checkpoint."""
    rearranged: int = 0
    """How often its weights were changed by something else than a step."""
    losses: list[tuple[float, float]] = field(default_factory=list)
    """(total, cross-entropy) of the steps since the curve's last entry, where a stop came
    between two."""
    images: int = 0
    """How many those steps saw."""


def write_checkpoint(
    path: Place, module: nn.Module, optimiser: torch.optim.Optimizer, at: Progressed
) -> None:
    write_bytes(path, packed(module, optimiser, at))


def packed(module: nn.Module, optimiser: torch.optim.Optimizer, at: Progressed) -> bytes:
    """What a checkpoint's file holds."""
    tensors = {f"module/{k}": v for k, v in module.state_dict().items()}
    tensors |= {f"average/{k}": v for k, v in at.average.items()}
    for index, state in optimiser.state_dict()["state"].items():
        tensors |= {
            f"optimiser/{index}/{k}": v for k, v in state.items() if isinstance(v, Tensor)
        }
    contiguous = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
    facts: dict[str, Any] = {
        "step": at.step,
        "curve": at.curve,
        "best": at.best_cross_entropy,
        "rollbacks": at.rollbacks,
        "rearranged": at.rearranged,
        "losses": at.losses,
        "images": at.images,
    }
    facts["sum"] = checksum(contiguous, facts)
    return save(contiguous, {"facts": json.dumps(facts)})


def read_checkpoint(
    path: Place, module: nn.Module, optimiser: torch.optim.Optimizer
) -> Progressed:
    """Loads a checkpoint into `module` and `optimiser`; returns how far it had come.

    Raises:
        RunError: the file was damaged; it is written whole or not at all, so not by a kill.
            Neither module nor optimiser is changed then.
    """
    try:
        tensors, facts = unpacked(path.read_bytes())
    except (SafetensorError, ValueError, LookupError, TypeError) as error:
        raise damaged(path, "no whole checkpoint") from error
    groups: dict[str, dict[str, Tensor]] = {"module": {}, "average": {}, "optimiser": {}}
    for name, tensor in tensors.items():
        group, key = name.split("/", 1)
        groups[group][key] = tensor
    module.load_state_dict(groups["module"])
    named = dict(module.named_parameters())
    trained = [p for group in optimiser.param_groups for p in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in groups["optimiser"].items():
        index, name = key.split("/")
        state.setdefault(int(index), {})[name] = laid_out(tensor, trained[int(index)])
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
    return Progressed(
        facts["step"],
        {k: laid_out(v, named[k]) for k, v in groups["average"].items()},
        [(s, x) for s, x in facts["curve"]],
        facts["best"],
        facts.get("rollbacks", 0),
        facts.get("rearranged", 0),
        [(total, own) for total, own in facts.get("losses", [])],
        facts.get("images", 0),
    )


def unpacked(content: bytes) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and facts of a checkpoint's file, as they were packed."""
    tensors = load(content)
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    facts = json.loads(header["__metadata__"]["facts"])
    known = facts.pop("sum", None)
    if known not in (None, checksum(tensors, facts)):
        raise ValueError("not what was packed")
    return tensors, facts


def checksum(tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> str:
    """Of all that is carried: safetensors looks at sizes alone. Older files have none."""
    total = zlib.crc32(json.dumps(facts).encode())
    for name, tensor in sorted(tensors.items()):
        content = tensor.reshape(-1).view(torch.uint8).numpy().data
        total = zlib.crc32(content, zlib.crc32(name.encode(), total))
    return f"{total:08x}"


def laid_out(tensor: Tensor, parameter: Tensor) -> Tensor:
    """A copy on the parameter's device and in its memory format, on which rounding depends."""
    return torch.empty_like(parameter, requires_grad=False).copy_(tensor)

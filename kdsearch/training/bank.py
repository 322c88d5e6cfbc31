"""What a frozen teacher says of each variation of each training image: stored once, read by
every training that shows the same variations.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor, nn

from kdsearch.core.progress import Progress
from kdsearch.data.augment import Augment, normalise
from kdsearch.data.records import DataInfo, Split
from kdsearch.data.variations import variation
from kdsearch.files import write_bytes
from kdsearch.nets.stored import stored_weights
from kdsearch.output import Output
from kdsearch.training.distillation import frozen
from kdsearch.training.feed import laid_out
from kdsearch.training.plan import Plan
from kdsearch.training.precision import autocast
from kdsearch.training.served import STORED


@dataclass(frozen=True, slots=True)
class Bank:
    """Stored outputs of a teacher, by variation; see `Feed.told`."""

    folder: Path
    device: str

    def __call__(self, version: int) -> Output:
        """Of the whole training set, in its order."""
        return outputs(self.folder, self.device, version)


@lru_cache(maxsize=2)
def outputs(folder: Path, device: str, version: int) -> Output:
    rows = stored_weights(folder / f"variation-{version}.safetensors", within=folder)
    told = {name: tensor.to(device) for name, tensor in rows.items()}
    return Output(told.get("logits"), (), told.get("pooled"))


@torch.no_grad()
def fill(
    folder: Path,
    teacher: nn.Module,
    split: Split,
    info: DataInfo,
    plan: Plan,
    progress: Progress,
) -> None:
    """Writes what `teacher` says of each of `plan.bank` variations; whole files, one each.

    Batches are as large as in training, so that each row is computed as it would be there.
    """
    augment = Augment(plan.augment, info.size, plan.augment_strength)
    progress.start("bank", plan.bank)
    for version in range(plan.bank):
        path = folder / f"variation-{version}.safetensors"
        if not path.exists():
            shown = variation(split.images, augment, version)
            write_bytes(path, save(told(teacher, shown, info, plan)))
        progress.step("bank", version + 1)
    progress.finish("bank")


def told(teacher: nn.Module, images: Tensor, info: DataInfo, plan: Plan) -> dict[str, Tensor]:
    rows: dict[str, list[Tensor]] = {part: [] for part in STORED}
    for batch in batches(images, plan.batch_size):
        with autocast(images.device, plan.precision):
            out = frozen(teacher, laid_out(normalise(batch, info.mean, info.std)))
        for part in STORED:
            if (found := getattr(out, part)) is not None:
                rows[part].append(found.cpu())
    return {part: torch.cat(each)[: len(images)] for part, each in rows.items() if each}


def batches(images: Tensor, size: int) -> list[Tensor]:
    """All of one size: the last begins again from the front."""
    missing = -len(images) % size
    return list(torch.split(torch.cat([images, images[:missing]]), size))

"""check.safetensors: a few calibration images and the student's logits for them.

With them a folder of artefacts can be checked wherever it lies, without the run or the data.
"""

from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from kdsearch.errors import ArtefactError
from kdsearch.files import write_bytes
from kdsearch.runtimes.runtime import Array

CHECK = "check.safetensors"
MOST_IMAGES, MOST_BYTES, FEWEST_IMAGES = 64, 8 * 2**20, 8
"""As many images as fit, within these bounds."""


def write_check(pixels: Tensor, expected: Array, folder: Path) -> Path:
    """Of uint8 images and the student's logits the first few.

    They are calibration images, which lie inside the training images.
    """
    size = pixels[0].numel()
    count = min(MOST_IMAGES, max(FEWEST_IMAGES, MOST_BYTES // size))
    kept = {"pixels": pixels[:count].contiguous(), "logits": torch.tensor(expected[:count])}
    path = folder / CHECK
    write_bytes(path, safetensors.torch.save(kept))
    return path


def read_check(path: Path, shape: tuple[int, int, int], classes: int) -> tuple[Tensor, Array]:
    """Images of this shape and logits of so many classes.

    Raises:
        ArtefactError: the file holds something else.
    """
    try:
        found = safetensors.torch.load(path.read_bytes())
        pixels, logits = found["pixels"], found["logits"]
    except Exception as error:  # of the file system or of safetensors
        raise ArtefactError(f"{path}: no whole set of images") from error
    fits = pixels.dtype == torch.uint8 and tuple(pixels.shape[1:]) == shape and len(pixels)
    if not fits or logits.dtype != torch.float32 or logits.shape != (len(pixels), classes):
        raise ArtefactError(f"{path}: not the images of this student")
    return pixels, logits.numpy()

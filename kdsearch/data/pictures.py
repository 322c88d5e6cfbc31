"""Picture files and PIL images as square uint8 tensors."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

GREY_MODES = frozenset({"1", "L", "LA", "La", "I;16", "I;16L", "I;16B"})
"""PIL modes without colour; a palette counts as colour."""
SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".ppm", ".pgm", ".bmp", ".tif", ".tiff", ".webp", ".gif"}
)
"""File names that are taken for pictures."""


def pixels(picture: Image.Image, channels: int, size: int) -> Tensor:
    """uint8 (channels, size, size): the central square, resized with antialiasing."""
    if picture.mode.startswith("I;16"):  # Pillow would clip all above 255 to white
        picture = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    if picture.mode in ("I", "F"):
        raise ValueError("has 32-bit pixels; save it with 8 or 16 bits")
    if "transparency" in picture.info:
        picture = picture.convert("RGBA")
    picture = picture.convert("L" if channels == 1 else "RGB")
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    box = (left, top, left + side, top + side)
    square = picture.resize((size, size), Image.Resampling.BILINEAR, box=box)
    array = np.array(square).reshape(size, size, channels)
    return torch.from_numpy(array).permute(2, 0, 1)


def read_file(path: Path, channels: int, size: int) -> Tensor:
    """uint8 (channels, size, size) of a picture file, upright; raises whatever PIL raises."""
    with Image.open(path) as picture:
        # Lets the JPEG decoder shrink a big photograph, to no less than twice what is needed.
        picture.draft(None, (2 * size, 2 * size))
        ImageOps.exif_transpose(picture, in_place=True)
        return pixels(picture, channels, size)


def is_grey(path: Path) -> bool:
    """Whether a file's header says that it has no colour; raises whatever PIL raises."""
    with Image.open(path) as picture:
        return picture.mode in GREY_MODES

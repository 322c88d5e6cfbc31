"""What the data tests share: prepared digits, numbered images, pictures and modules on disk."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from kdsearch.core.progress import Silent
from kdsearch.data.arrays import array_part
from kdsearch.data.prepare import prepare
from kdsearch.data.records import DataInfo, Options, Raw
from kdsearch.files import content_hash


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, DataInfo]:
    """A folder with prepared digits, and what is known about them."""
    folder = tmp_path_factory.mktemp("digits")
    return folder, prepare("digits", folder, options=Options(), seed=0, progress=Silent())


def numbered_images(first: int, count: int) -> Tensor:
    """uint8 (count, 1, 2, 2): grey images that carry their own number in two pixels."""
    images = torch.zeros((count, 1, 2, 2), dtype=torch.uint8)
    for position in range(count):
        number = first + position
        images[position, 0, 0, 0], images[position, 0, 0, 1] = number // 256, number % 256
    return images


@pytest.fixture(scope="session")
def numbers_of() -> Callable[[Tensor], list[int]]:
    """Reads the numbers that `numbered_images` wrote."""
    return lambda images: [256 * int(one[0, 0, 0]) + int(one[0, 0, 1]) for one in images]


@pytest.fixture
def numbered() -> Callable[..., Raw]:
    """A source of numbered images: counts per class, and whether it brings own parts."""

    def make(counts: list[int], *, test: int = 0, search_val: int = 0) -> Raw:
        labels = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
        total = len(labels)

        def own(first: int, count: int) -> object:
            own_labels = torch.arange(count) % len(counts)
            return array_part(numbered_images(first, count), own_labels, 2) if count else None

        return Raw(
            classes=tuple(f"class {i}" for i in range(len(counts))),
            channels=1,
            size=2,
            train=array_part(numbered_images(0, total), labels, 2),
            search_val=own(total, search_val),
            test=own(total + search_val, test),
        )

    return make


@pytest.fixture
def paint(tmp_path: Path) -> Callable[..., Path]:
    """Writes a picture of one value, or of an array, below the test's folder."""

    def write(
        path: str, size: tuple[int, int] = (20, 20), mode: str = "RGB", value: object = 0
    ) -> Path:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(value, np.ndarray):
            picture = Image.fromarray(value)
        else:
            picture = Image.new(mode, size, value)
        picture.save(file)
        return file

    return write


@pytest.fixture
def user_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Callable[[str], str]:
    """Writes a Python module into the working folder; gives the data set's name for `make`."""

    def write(source: str) -> str:
        name = f"made_{content_hash(request.node.nodeid)}"
        (tmp_path / f"{name}.py").write_text(source)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "path", sys.path[:])
        monkeypatch.delitem(sys.modules, name, raising=False)
        return f"module:{name}:make"

    return write

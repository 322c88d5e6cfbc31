import struct
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import datasets

from kdsearch.core.progress import Silent
from kdsearch.data.load import load_search
from kdsearch.data.prepare import describe, prepare
from kdsearch.data.records import DataInfo, Options
from kdsearch.data.torchvision import SPLITS, Torchvision, accepted, make, parts, quietly
from kdsearch.errors import DataError


def write_idx(path: Path, array: np.ndarray) -> None:
    """Writes unsigned bytes in the idx format (LeCun, yann.lecun.com/exdb/mnist)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    path.write_bytes(header + array.astype(np.uint8).tobytes())


@pytest.fixture
def fashion(tmp_path: Path) -> Path:
    """A root with a FashionMNIST of 60 training and 20 test images; labels show as pixels."""
    raw = tmp_path / "root" / "FashionMNIST" / "raw"
    for part, count in (("train", 60), ("t10k", 20)):
        labels = np.arange(count) % 10
        images = np.broadcast_to((20 * labels)[:, None, None], (count, 28, 28))
        write_idx(raw / f"{part}-images-idx3-ubyte", images)
        write_idx(raw / f"{part}-labels-idx1-ubyte", labels)
    return tmp_path / "root"


def prepared(name: str, tmp_path: Path, **options: Any) -> DataInfo:
    return prepare(
        name, tmp_path / "out", options=Options(**options), seed=0, progress=Silent()
    )


def test_a_set_on_disk_with_its_own_test_part(fashion: Path, tmp_path: Path) -> None:
    info = prepared("torchvision:FashionMNIST", tmp_path, root=str(fashion))
    assert info.classes[0] == "T-shirt/top"
    assert (len(info.classes), info.channels, info.size) == (10, 1, 28)
    assert info.counts == {"train": 48, "calibration": 48, "search_val": 12, "test": 20}
    train = load_search(tmp_path / "out").train
    assert (train.images[:, 0, 5, 5] == 20 * train.labels).all()


def test_files_that_are_there_need_no_download(fashion: Path, tmp_path: Path) -> None:
    info = prepared(
        "torchvision:FashionMNIST", tmp_path, root=str(fashion), download=True, size=8
    )
    assert info.size == 8


def test_a_missing_root_or_set_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data.root is not set; .*data.download: true"):
        prepared("torchvision:FashionMNIST", tmp_path)
    with pytest.raises(DataError, match=r"Dataset not found.* set data.root .*download: true"):
        prepared("torchvision:FashionMNIST", tmp_path, root=str(tmp_path))


def test_a_download_that_fails_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise RuntimeError("no route\nto host")

    monkeypatch.setattr("torchvision.datasets.mnist.download_and_extract_archive", unreachable)
    with pytest.raises(DataError, match="check the network") as error:
        prepared("torchvision:MNIST", tmp_path, root=str(tmp_path), download=True)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("FashonMNIST", "no set 'FashonMNIST'; did you mean 'FashionMNIST'"),
        ("mnist", "no set 'mnist'"),
        ("", "which set"),
        ("ImageFolder", "write folder:PATH"),
        ("CocoDetection", "annFile.*write a factory"),
    ],
)
def test_names_that_are_no_classification_set(name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        prepared(f"torchvision:{name}", tmp_path, root=str(tmp_path))


def test_a_description_is_the_name() -> None:
    first = describe("torchvision:MNIST", Options(root="/a"))
    assert first == describe("torchvision:MNIST", Options(root="/b", download=True))
    assert first != describe("torchvision:KMNIST", Options(root="/a"))
    with pytest.raises(DataError, match="did you mean 'KMNIST'"):
        describe("torchvision:KMNST", Options())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("CIFAR10", ({"train": True}, {"train": False})),
        ("QMNIST", ({"train": True}, {"train": False})),
        ("EMNIST", SPLITS["EMNIST"]),
        ("SVHN", ({"split": "train"}, {"split": "test"})),
        ("OxfordIIITPet", ({"split": "trainval"}, {"split": "test"})),
        ("EuroSAT", ({}, None)),
        ("FakeData", ({}, None)),
    ],
)
def test_how_each_kind_of_constructor_is_called(name: str, expected: object) -> None:
    assert parts(name, accepted(getattr(datasets, name))) == expected


def test_arguments_handed_on_to_a_base_class_are_known() -> None:
    assert {"root", "split", "train", "download"} <= accepted(datasets.EMNIST)
    assert "download" not in accepted(datasets.ImageNet)
    assert "root" not in accepted(datasets.FakeData)


@pytest.mark.parametrize(
    "name",
    [*SPLITS, "SVHN", "STL10", "GTSRB", "Food101", "Flowers102", "DTD", "Country211"]
    + ["RenderedSST2", "FER2013", "LFWPeople", "CIFAR100", "QMNIST", "USPS"],
)
def test_torchvision_knows_both_parts_by_these_names(name: str, tmp_path: Path) -> None:
    constructor = getattr(datasets, name)
    for part in parts(name, accepted(constructor)):
        with quietly(), pytest.raises(DataError, match="data.root") as error:
            make(constructor, part, Options(root=str(tmp_path)))
        assert "Unknown value" not in str(error.value)


class Grains:
    """Like SVHN: a `split`, arrays of colour images, `labels`."""

    def __init__(self, root: str, split: str = "train", download: bool = False) -> None:
        warnings.warn("this constructor is old", DeprecationWarning, stacklevel=1)
        print("Using downloaded and verified file")
        count = {"train": 40, "test": 12}[split]
        self.labels = np.arange(count) % 2
        self.data = np.zeros((count, 3, 8, 8), np.uint8)
        self.data[:, 1] = (100 * self.labels)[:, None, None]

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> Any:
        raise AssertionError("went through PIL")


class Pebbles:
    """Like EuroSAT and Food101: one part, pictures of many sizes, decoded one by one."""

    classes = ("grey", "white")

    def __init__(self, root: str, transform: Callable[..., Any] | None = None) -> None:
        self.data = ["paths", "are", "no", "pictures"]

    def __len__(self) -> int:
        return 30

    def __getitem__(self, index: int) -> Any:
        return Image.new("RGB", (20 + index, 40), (120 + 100 * (index % 2),) * 3), index % 2


class Sparks(datasets.FakeData):
    """Needs no files; its labels are tensors, and known only to its items."""

    def __init__(self) -> None:
        super().__init__(size=30, image_size=(3, 8, 8), num_classes=3)


@pytest.fixture
def own_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    for constructor in (Grains, Pebbles, Sparks):
        monkeypatch.setattr(datasets, constructor.__name__, constructor, raising=False)
    monkeypatch.setattr(datasets, "__all__", ("Grains", "Pebbles", "Sparks"))


@pytest.mark.usefixtures("own_sets")
def test_arrays_are_read_without_detours_warnings_or_prints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    info = prepared("torchvision:Grains", tmp_path, root="anywhere")
    assert (info.classes, info.channels, info.size) == (("0", "1"), 3, 8)
    assert info.counts == {"train": 32, "calibration": 32, "search_val": 8, "test": 12}
    assert capsys.readouterr().out == ""
    train = load_search(tmp_path / "out").train
    assert (train.images[:, 1, 0, 0] == 100 * train.labels).all()
    assert not train.images[:, (0, 2)].any()


@pytest.mark.usefixtures("own_sets")
def test_pictures_are_decoded_one_by_one_and_split(tmp_path: Path) -> None:
    info = prepared("torchvision:Pebbles", tmp_path, root="anywhere")
    assert (info.classes, info.channels, info.size) == (("grey", "white"), 3, 32)
    assert info.counts == {"train": 18, "calibration": 18, "search_val": 6, "test": 6}
    train = load_search(tmp_path / "out").train
    assert (train.images[:, 0, 9, 9] == 120 + 100 * train.labels).all()


@pytest.mark.usefixtures("own_sets")
def test_a_set_without_files_needs_no_root() -> None:
    raw = Torchvision().load("Sparks", Options(), Silent())
    assert (len(raw.train), raw.channels, raw.size, raw.test) == (30, 3, 8, None)
    assert raw.train.read(torch.tensor([0])).images.shape == (1, 3, 8, 8)

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kdsearch.core.progress import Silent
from kdsearch.data.load import load_search
from kdsearch.data.prepare import describe, prepare
from kdsearch.data.records import DataInfo, Options
from kdsearch.errors import DataError

UserModule = Callable[[str], str]

ARRAYS = """
import numpy as np
labels = np.arange(40) % 2
images = np.broadcast_to((50 * labels)[:, None, None], (40, 6, 6)).astype(np.uint8)
def make():
    return {returned}
"""

DATASETS = """
from PIL import Image
class Squares:
    classes = ["dark", "light"]
    def __init__(self, count): self.count = count
    def __len__(self): return self.count
    def __getitem__(self, index):
        return Image.new("RGB", (9, 9), (100 * (index % 2),) * 3), index % 2
def make():
    return Squares(40), Squares(10)
"""


def prepared(name: str, tmp_path: Path, **options: Any) -> DataInfo:
    return prepare(
        name, tmp_path / "out", options=Options(**options), seed=0, progress=Silent()
    )


def test_arrays_that_are_split(user_module: UserModule, tmp_path: Path) -> None:
    name = user_module(ARRAYS.format(returned="images, labels, ['dark', 'light']"))
    info = prepared(name, tmp_path)
    assert (info.classes, info.channels, info.size) == (("dark", "light"), 1, 6)
    assert info.counts == {"train": 24, "calibration": 24, "search_val": 8, "test": 8}
    train = load_search(tmp_path / "out").train
    assert (train.images[:, 0, 0, 0] == 50 * train.labels).all()


def test_arrays_with_an_own_test_part(user_module: UserModule, tmp_path: Path) -> None:
    returned = "(images / 255, labels), (images[:6] / 255, labels[:6]), ['dark', 'light']"
    info = prepared(user_module(ARRAYS.format(returned=returned)), tmp_path, size=4)
    assert info.counts == {"train": 32, "calibration": 32, "search_val": 8, "test": 6}
    assert info.size == 4


def test_data_sets_with_len_and_items(user_module: UserModule, tmp_path: Path) -> None:
    info = prepared(user_module(DATASETS), tmp_path)
    assert (info.classes, info.channels, info.size) == (("dark", "light"), 3, 9)
    assert (info.counts["train"], info.counts["test"]) == (32, 10)


def test_the_description_follows_the_source(user_module: UserModule) -> None:
    first = describe(user_module(DATASETS), Options())
    assert describe(user_module(DATASETS), Options()) == first
    assert describe(user_module(DATASETS + "# changed"), Options()) != first


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ("images, labels", "returned tuple; it must return"),
        ("None", "returned NoneType; it must return"),
        ("images", "returned ndarray; it must return"),
        ("images, labels[:3], ['a', 'b']", r"labels have shape \(3,\)"),
        ("images, labels, ['a']", "run from 0 to 1; with 1 classes"),
        ("images, labels, ['a', 'a']", "'a' appears twice"),
        ("images, labels, 2", "give a list of names"),
        ("images[:, 0], labels, ['a', 'b']", r"shape \(40, 6\)"),
        ("list(images[:9]) + [images[0, :3]], labels[:10], ['a', 'b']", "all of one size"),
        ("(images, labels), (images[:, :5], labels), ['a', 'b']", "give both the same"),
        ("(images, labels), (images, labels + 1), ['a', 'b']", "test labels run from 1 to 2"),
        ("images - 1.0, labels, ['a', 'b']", r"floats must lie in \[0, 1\]"),
        ("1 / 0", r"make\(\) raised ZeroDivisionError: division by zero"),
    ],
)
def test_a_wrong_return_is_told_in_one_line(
    user_module: UserModule, tmp_path: Path, returned: str, message: str
) -> None:
    name = user_module(ARRAYS.format(returned=returned))
    with pytest.raises(DataError, match=message) as error:
        prepared(name, tmp_path)
    assert str(error.value).startswith(f"{name}: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def maker(): pass", "did you mean 'maker'"),
        ("make = 7", "'make' in module"),
        ("import nowhere_to_be_found", "ModuleNotFoundError"),
        ("def make(:", "SyntaxError"),
        ("def make(argument): pass", "it takes no argument"),
    ],
)
def test_a_wrong_module_is_told_in_one_line(
    user_module: UserModule, tmp_path: Path, source: str, message: str
) -> None:
    with pytest.raises(DataError, match=message) as error:
        prepared(user_module(source), tmp_path)
    assert "\n" not in str(error.value)


def test_a_missing_module(tmp_path: Path) -> None:
    for action in (
        lambda name: prepared(name, tmp_path),
        lambda name: describe(name, Options()),
    ):
        with pytest.raises(DataError, match="cannot import 'nowhere_to_be_found'"):
            action("module:nowhere_to_be_found:make")

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from kdsearch.core.progress import Silent
from kdsearch.data.folder import Folder
from kdsearch.data.load import load_search
from kdsearch.data.prepare import describe, prepare
from kdsearch.data.records import DataInfo, Options
from kdsearch.data.test_split import open_test
from kdsearch.errors import DataError

Paint = Callable[..., Path]
COLOURS = {"cat": (200, 0, 0), "dog": (0, 200, 0)}


@pytest.fixture
def photos(tmp_path: Path, paint: Paint) -> Path:
    """Ten pictures of two classes, of odd sizes, types and depths below their class."""
    for name, colour in COLOURS.items():
        for number in range(10):
            below = "more/" if number % 3 == 0 else ""
            kind = ("png", "JPG", "webp")[number % 3]
            size = (20 + 7 * number, 61 - 3 * number)
            paint(f"photos/{name}/{below}{number}.{kind}", size, value=colour)
    paint("photos/cat/.hidden.png")
    (tmp_path / "photos/cat/notes.txt").write_text("no picture")
    (tmp_path / "photos/.cache").mkdir()
    return tmp_path / "photos"


def prepared(folder: Path, **options: Any) -> tuple[DataInfo, Path]:
    out = folder.parent / "out"
    options = {"calibration": 4, **options}
    name = f"folder:{folder}"
    return prepare(name, out, options=Options(**options), seed=0, progress=Silent()), out


def test_own_classes_any_size_and_colour(photos: Path, tmp_path: Path) -> None:
    info, out = prepared(photos)
    assert (info.classes, info.channels, info.size) == (("cat", "dog"), 3, 32)
    assert info.counts == {"train": 12, "calibration": 4, "search_val": 4, "test": 4}
    data = load_search(out)
    test = open_test(out, purpose="a test", log=tmp_path / "log")
    for split in (data.train, data.search_val, test):
        means = split.images.float().mean(dim=(2, 3))
        expected = torch.tensor([COLOURS[info.classes[i]] for i in split.labels]).float()
        torch.testing.assert_close(means, expected, atol=3, rtol=0)


def test_grey_only_if_all_are_grey(photos: Path, paint: Paint) -> None:
    for file in photos.glob("*/**/*.*"):
        file.unlink()
    for name in COLOURS:
        for number in range(5):
            paint(f"photos/{name}/{number}.png", mode="L", value=50 * number)
    assert prepared(photos)[0].channels == 1
    paint("photos/cat/late.png", value=(1, 2, 3))
    assert prepared(photos)[0].channels == 3


def test_a_broken_image_is_named_and_stops(photos: Path) -> None:
    broken = photos / "dog" / "4.JPG"
    broken.write_bytes(broken.read_bytes()[:200])
    with pytest.raises(DataError, match=r"broken image dog/4.JPG \(.*set data.broken: skip"):
        prepared(photos)
    broken.write_bytes(b"")
    with pytest.raises(DataError, match=r"broken image dog/4.JPG \(cannot identify"):
        prepared(photos)


@pytest.mark.parametrize("bytes_left", [0, 200])
def test_a_broken_image_is_skipped_and_counted(photos: Path, bytes_left: int) -> None:
    broken = photos / "dog" / "4.JPG"
    broken.write_bytes(broken.read_bytes()[:bytes_left])
    info, out = prepared(photos, broken="skip")
    assert info.skipped == ("dog/4.JPG",)
    assert sum(info.counts[name] for name in ("train", "search_val", "test")) == 19
    assert len(load_search(out).train) == info.counts["train"]


def test_broken_images_that_leave_a_class_empty_are_told(photos: Path) -> None:
    for file in photos.glob("dog/**/*.*"):
        file.write_bytes(b"")
    with pytest.raises(DataError, match="class 'dog' has too few images: 0"):
        prepared(photos, broken="skip")


@pytest.mark.parametrize(
    ("parts", "counts"),
    [
        (("train", "test"), {"train": 16, "search_val": 4, "test": 20}),
        (("train", "val"), {"train": 16, "search_val": 4, "test": 20}),
        (("train", "val", "test"), {"train": 20, "search_val": 20, "test": 20}),
        (("train",), {"train": 12, "search_val": 4, "test": 4}),
    ],
)
def test_parts_in_subfolders(
    photos: Path, tmp_path: Path, parts: tuple[str, ...], counts: dict[str, int]
) -> None:
    for part in parts:
        shutil.copytree(photos, tmp_path / "parted" / part)
    info, _ = prepared(tmp_path / "parted")
    assert info.classes == ("cat", "dog")
    assert {name: info.counts[name] for name in counts} == counts


def test_the_test_part_is_the_test_folder(photos: Path, tmp_path: Path, paint: Paint) -> None:
    shutil.copytree(photos, tmp_path / "parted" / "train")
    for name in COLOURS:
        paint(f"parted/test/{name}/one.png", value=(9, 9, 9))
    _, out = prepared(tmp_path / "parted")
    test = open_test(out, purpose="a test", log=tmp_path / "log")
    assert test.images.unique().tolist() == [9]
    assert not (load_search(out).train.images == 9).all(dim=(1, 2, 3)).any()


def test_a_class_may_be_called_train(photos: Path, tmp_path: Path) -> None:
    shutil.rmtree(photos / "cat" / "more")
    (photos / "cat").rename(photos / "train")
    assert prepared(photos)[0].classes == ("dog", "train")


def test_an_unknown_class_among_the_test_images(
    photos: Path, tmp_path: Path, paint: Paint
) -> None:
    shutil.copytree(photos, tmp_path / "parted" / "train")
    paint("parted/test/cow/one.png")
    with pytest.raises(DataError, match=r"test/cow is not among the training classes"):
        prepared(tmp_path / "parted")


def test_a_limit_leaves_other_images_undecoded(photos: Path) -> None:
    raw = Folder().load(str(photos), Options(), Silent())
    read = raw.train.read(torch.tensor([0]))
    for file in photos.glob("*/**/*.*"):
        file.unlink()
    assert len(read.kept) == 1
    with pytest.raises(DataError, match="broken image"):
        raw.train.read(torch.tensor([1]))


def test_a_path_starts_at_the_root_or_the_working_folder(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rooted = Folder().load("photos", Options(root=str(photos.parent)), Silent())
    monkeypatch.chdir(photos.parent)
    assert rooted.classes == Folder().load("photos", Options(), Silent()).classes


def test_mistakes_are_told_in_one_line(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "hollow/cat").mkdir(parents=True)
    (photos / "bird").mkdir()
    for folder, message in (
        ("nowhere", "no folder .*nowhere"),
        ("empty", "holds no class folders"),
        ("hollow", "holds no pictures"),
        ("photos", "class 'bird' has too few images: 0"),
    ):
        with pytest.raises(DataError, match=message) as error:
            prepared(tmp_path / folder)
        assert "\n" not in str(error.value)


def test_a_description_follows_files_but_not_where_they_lie(
    photos: Path, tmp_path: Path
) -> None:
    first = describe(f"folder:{photos}", Options())
    assert str(tmp_path) not in json.dumps(first)
    moved = shutil.copytree(photos, tmp_path / "elsewhere")
    assert describe(f"folder:{moved}", Options()) == first
    os.utime(moved / "cat" / "4.JPG", ns=(1, 1))
    assert describe(f"folder:{moved}", Options()) != first

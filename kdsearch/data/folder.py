"""Pictures in folders named after their classes: PATH/CLASS/picture, as ImageFolder's.

Where PATH/train holds class folders, train/, val/ and test/ of PATH are used as parts: test/ is
the test part, val/ is what search scores on; without test/, val/ is the test part.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from kdsearch.core.progress import Progress
from kdsearch.data.indexed import PICTURE_SIZE
from kdsearch.data.pictures import SUFFIXES, is_grey, read_file
from kdsearch.data.reading import Broken, attempts, read_images
from kdsearch.data.records import Options, Part, Raw, Read
from kdsearch.errors import DataError
from kdsearch.files import content_hash


class Folder:
    """Your own pictures, one folder per class, of any size, grey or in colour."""

    name: ClassVar[str] = "folder"
    usage: ClassVar[str] = "folder:PATH"

    def load(self, argument: str, options: Options, progress: Progress) -> Raw:
        base = base_of(argument, options)
        folders = layout(base)
        classes = classes_in(folders["train"])
        listings = {part: listing(folder, classes) for part, folder in folders.items()}
        progress.say(
            f"{base}: {len(classes)} classes; "
            + ", ".join(f"{len(found.paths)} {part} images" for part, found in listings.items())
        )
        size = options.size or PICTURE_SIZE
        scans = {p: scan(found, base, options.broken) for p, found in listings.items()}
        channels = 1 if all(one.grey for one in scans.values()) else 3
        made = {
            part: part_of(one.listing, base, (channels, size), options.broken)
            for part, one in scans.items()
        }
        skipped = tuple(name for one in scans.values() for name in one.skipped)
        return Raw(classes, channels, size, **made, skipped=skipped)

    def describe(self, argument: str, options: Options) -> dict[str, Any]:
        base = base_of(argument, options)
        folders = layout(base)
        classes = classes_in(folders["train"])
        files = []
        for folder in folders.values():
            for path in listing(folder, classes).paths:
                status = path.stat()
                files.append((relative(path, base), status.st_size, status.st_mtime_ns))
        return {"files": content_hash(files)}


@dataclass(frozen=True, slots=True)
class Listing:
    """Picture files and the numbers of their classes."""

    paths: tuple[Path, ...]
    labels: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Scan:
    """What the files' headers say."""

    listing: Listing
    """The readable ones."""
    grey: bool
    skipped: tuple[str, ...]


def base_of(argument: str, options: Options) -> Path:
    """The folder meant; a relative path starts at data.root, or at the current folder."""
    if not argument:
        raise DataError(
            "which folder? for example folder:photos, with photos/CLASS/picture.jpg"
        )
    base = Path(options.root or ".").expanduser() / Path(argument).expanduser()
    if not base.is_dir():
        raise DataError(f"no folder {base.absolute()}; needed: PATH/CLASS/picture.jpg")
    return base


def subfolders(folder: Path) -> list[Path]:
    return sorted(
        p for p in folder.iterdir() if p.is_dir() and not p.name.startswith((".", "__"))
    )


def relative(path: Path, base: Path) -> str:
    return path.relative_to(base).as_posix()


def layout(base: Path) -> dict[str, Path]:
    """Which folder holds the classes of train, search_val and test."""
    train, val, test = base / "train", base / "val", base / "test"
    if not (train.is_dir() and subfolders(train)):
        return {"train": base}
    if not test.is_dir():
        return {"train": train, "test": val} if val.is_dir() else {"train": train}
    return {"train": train, "test": test} | ({"search_val": val} if val.is_dir() else {})


def classes_in(folder: Path) -> tuple[str, ...]:
    classes = tuple(path.name for path in subfolders(folder))
    if not classes:
        raise DataError(f"{folder} holds no class folders; needed: {folder}/CLASS/picture.jpg")
    return classes


def pictures_in(folder: Path) -> list[Path]:
    """Picture files at any depth, sorted; hidden ones are none."""
    return sorted(
        Path(parent) / name
        for parent, _, names in os.walk(folder, followlinks=True)
        for name in names
        if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES
    )


def listing(folder: Path, classes: tuple[str, ...]) -> Listing:
    """All pictures of a part; raises DataError if a class is unknown, or all are missing."""
    paths: list[Path] = []
    labels: list[int] = []
    for one in subfolders(folder):
        if one.name not in classes:
            raise DataError(
                f"{one} is not among the training classes {list(classes)}; remove it"
            )
        found = pictures_in(one)
        paths += found
        labels += [classes.index(one.name)] * len(found)
    if not paths:
        raise DataError(f"{folder} holds no pictures ({', '.join(sorted(SUFFIXES))}); add some")
    return Listing(tuple(paths), tuple(labels))


def scan(listing: Listing, base: Path, broken: Broken) -> Scan:
    """Opens every file's header: cheap, and tells colour and much of what is broken."""
    with ThreadPoolExecutor() as pool:
        found, skipped = attempts(
            lambda i: is_grey(listing.paths[i]),
            lambda i: relative(listing.paths[i], base),
            range(len(listing.paths)),
            broken,
            pool.map,
        )
    readable = Listing(
        tuple(listing.paths[i] for i, _ in found), tuple(listing.labels[i] for i, _ in found)
    )
    return Scan(readable, all(grey for _, grey in found), skipped)


def part_of(listing: Listing, base: Path, shape: tuple[int, int], broken: Broken) -> Part:
    """A part that decodes files when they are wanted, several at once."""

    def read(indices: Tensor) -> Read:
        with ThreadPoolExecutor() as pool:
            return read_images(
                lambda i: read_file(listing.paths[i], *shape),
                lambda i: relative(listing.paths[i], base),
                indices,
                broken,
                pool.map,
            )

    return Part(torch.tensor(listing.labels, dtype=torch.int64), read)

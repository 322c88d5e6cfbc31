"""Reads a data set once, splits it four ways and writes it down for all that follows."""

import contextlib
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from kdsearch.core.progress import Progress
from kdsearch.core.seeds import derive
from kdsearch.data import DATASETS
from kdsearch.data.memory import available_bytes, check_fits
from kdsearch.data.reading import gather
from kdsearch.data.records import DataInfo, Dataset, Options, Raw, Split
from kdsearch.data.splits import Plan, plan
from kdsearch.data.stored import INFO, SEARCH, fingerprint, write_info, write_tensors
from kdsearch.data.stratify import check_classes, draw
from kdsearch.data.test_split import write_test
from kdsearch.errors import DataError, UserError, did_you_mean

VERSION = 1
"""Raised by hand whenever the same source and options would give other splits."""


def find(name: str) -> tuple[Dataset, str]:
    """The entry and the argument behind `name` or `name:ARGUMENT`."""
    entry, _, argument = name.partition(":")
    if entry not in DATASETS:
        raise DataError(f"unknown data set '{entry}'; {did_you_mean(entry, DATASETS)}")
    return DATASETS[entry], argument


@contextlib.contextmanager
def about(name: str) -> Iterator[None]:
    """Puts the data set's name before whatever is wrong with it, on one line."""
    try:
        yield
    except UserError as error:
        raise DataError(f"{name}: {' '.join(str(error).split())}") from error


def describe(name: str, options: Options) -> dict[str, Any]:
    """A cheap JSON-able key of what `prepare` would write, but for the seed; no absolute path.

    `module:` sources are keyed by the module's own file, not by files that it reads.
    """
    entry, argument = find(name)
    with about(name):
        source = entry.describe(argument, options)
    shaping = asdict(options)
    del shaping["root"], shaping["download"]
    return {"dataset": entry.name, "source": source, "version": VERSION, **shaping}


def prepare(
    name: str, folder: Path, *, options: Options, seed: int, progress: Progress
) -> DataInfo:
    """Writes search.safetensors, test.safetensors and, once all is there, info.json."""
    entry, argument = find(name)
    with about(name):
        raw = entry.load(argument, options, progress)
        splits, skipped = read(raw, plan(raw, options, seed), progress)
        train = splits["train"]
        check_classes(train.labels, raw.classes, ["train"])
    wanted = min(options.calibration, len(train))
    calibration, _ = draw(train.labels, wanted, derive(seed, "split", "calibration"))
    tensors = {
        f"{part}_{kind}": getattr(split, kind)
        for part, split in splits.items()
        for kind in ("images", "labels")
    }
    tensors["calibration"] = calibration
    mean, std = moments(train.images)
    info = DataInfo(
        name=name,
        classes=raw.classes,
        channels=raw.channels,
        size=raw.size,
        mean=mean,
        std=std,
        counts={**{k: len(v) for k, v in splits.items()}, "calibration": len(calibration)},
        skipped=raw.skipped + skipped,
        fingerprint=fingerprint(raw.classes, tensors),
    )
    write(folder, tensors, splits["test"], info)
    return info


def read(
    raw: Raw, splits: Plan, progress: Progress
) -> tuple[dict[str, Split], tuple[str, ...]]:
    """All splits in memory, and the names of images that turned out broken."""
    total = sum(len(indices) for _, indices in splits.values())
    check_fits(total, raw.channels, raw.size, available=available_bytes())
    task, done = "reading images", 0
    progress.start(task, total)

    def tell(count: int) -> None:
        nonlocal done
        done += count
        progress.step(task, done)

    read_splits: dict[str, Split] = {}
    skipped: list[str] = []
    for name in sorted(splits):
        part, indices = splits[name]
        read_splits[name], broken = gather(part, indices, (raw.channels, raw.size), tell)
        skipped.extend(broken)
    broken_ones = len(skipped) + len(raw.skipped)
    progress.finish(task, f"{broken_ones} broken ones left out" if broken_ones else "")
    return read_splits, tuple(skipped)


def moments(images: Tensor) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel of uint8 (n, c, h, w), scaled to [0, 1].

    Exact, as it counts how often each of the 256 levels occurs; a constant channel gets 1.
    """
    levels = torch.arange(256, dtype=torch.float64) / 255
    means, deviations = [], []
    for channel in range(images.shape[1]):
        counts = torch.bincount(images[:, channel].reshape(-1), minlength=256).double()
        share = counts / counts.sum()
        mean = (share * levels).sum()
        means.append(mean.item())
        deviations.append((share * (levels - mean).square()).sum().sqrt().item() or 1.0)
    return tuple(means), tuple(deviations)


def write(folder: Path, tensors: dict[str, Tensor], test: Split, info: DataInfo) -> None:
    """All files or none that counts: info.json goes first and comes last."""
    (folder / INFO).unlink(missing_ok=True)
    search = {name: t for name, t in tensors.items() if not name.startswith("test_")}
    write_tensors(folder / SEARCH, search, info.fingerprint)
    write_test(folder, test, info.fingerprint)
    write_info(folder, info)

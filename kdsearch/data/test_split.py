"""The test split: written once, and every opening of it logged."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from kdsearch.data.records import Split
from kdsearch.data.stored import read_info, read_tensors, write_tensors

TEST = "test.safetensors"


def write_test(folder: Path, split: Split, mark: str) -> None:
    """Writes the test split, marked with the fingerprint of its data set."""
    write_tensors(folder / TEST, {"images": split.images, "labels": split.labels}, mark)


def open_test(folder: Path, *, purpose: str, log: Path) -> Split:
    """The test split, after a line in `log` says when and what for it was opened."""
    info = read_info(folder)
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    line = {"time": moment, "purpose": purpose, "images": info.counts["test"]}
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
        file.flush()
        os.fsync(file.fileno())
    tensors = read_tensors(folder / TEST, info.fingerprint)
    return Split(tensors["images"], tensors["labels"])

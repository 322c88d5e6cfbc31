"""Opens what training and search may see of prepared data."""

from pathlib import Path

from kdsearch.data.records import SearchData, Split
from kdsearch.data.stored import SEARCH, read_info, read_tensors


def load_search(folder: Path) -> SearchData:
    """Train, calibration and search-val of a folder written by `prepare`; never test."""
    info = read_info(folder)
    tensors = read_tensors(folder / SEARCH, info.fingerprint)
    train = Split(tensors["train_images"], tensors["train_labels"])
    search_val = Split(tensors["search_val_images"], tensors["search_val_labels"])
    return SearchData(train, train.pick(tensors["calibration"]), search_val, info)

from pathlib import Path

import pytest

from kdsearch.data.load import load_search
from kdsearch.data.records import DataInfo
from kdsearch.errors import DataError


def test_what_training_gets(digits: tuple[Path, DataInfo]) -> None:
    folder, info = digits
    data = load_search(folder)
    assert data.info == info
    for name in ("train", "calibration", "search_val"):
        split = getattr(data, name)
        assert len(split) == info.counts[name] == len(split.images)
        assert split.images.shape[1:] == (1, 8, 8)
        assert str(split.images.dtype) == "torch.uint8"
        assert str(split.labels.dtype) == "torch.int64"


def test_nothing_prepared(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no prepared data \(info.json is missing\)"):
        load_search(tmp_path)

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kdsearch.data.records import DataInfo
from kdsearch.data.test_split import open_test
from kdsearch.errors import DataError


def test_every_opening_is_logged(digits: tuple[Path, DataInfo], tmp_path: Path) -> None:
    log = tmp_path / "logs" / "test-openings.jsonl"
    for purpose in ("finalists", "export"):
        split = open_test(digits[0], purpose=purpose, log=log)
        assert len(split) == len(split.images) == digits[1].counts["test"]
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["purpose"] for line in lines] == ["finalists", "export"]
    assert [line["images"] for line in lines] == [359, 359]
    for line in lines:
        assert set(line) == {"time", "purpose", "images"}
        age = datetime.now(UTC) - datetime.fromisoformat(line["time"])
        assert timedelta(seconds=-1) < age < timedelta(minutes=5)


def test_the_line_is_there_before_the_images_are(
    digits: tuple[Path, DataInfo], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"

    def unreadable(*_: object) -> None:
        raise DataError("torn")

    monkeypatch.setattr("kdsearch.data.test_split.read_tensors", unreadable)
    with pytest.raises(DataError):
        open_test(digits[0], purpose="finalists", log=log)
    assert json.loads(log.read_text())["purpose"] == "finalists"

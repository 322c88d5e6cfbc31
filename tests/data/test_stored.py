from pathlib import Path
from typing import Any

import pytest
import torch

from kdsearch.data.stored import fingerprint, read_tensors, write_tensors
from kdsearch.errors import DataError


def test_tensors_come_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "some.safetensors"
    tensors = {"a": torch.arange(12, dtype=torch.uint8).view(3, 4)[:2], "b": torch.arange(3)}
    write_tensors(path, tensors, "mark")
    found = read_tensors(path, "mark")
    assert set(found) == {"a", "b"}
    assert all(torch.equal(found[name], tensors[name]) for name in tensors)
    assert [p.name for p in path.parent.iterdir()] == ["some.safetensors"]


def test_tensors_of_another_data_set_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "some.safetensors"
    write_tensors(path, {"a": torch.arange(3)}, "mark")
    with pytest.raises(DataError, match=r"holds data mark, info.json tells of other"):
        read_tensors(path, "other")


def test_a_torn_or_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "some.safetensors"
    with pytest.raises(DataError, match=r"some.safetensors: cannot be read"):
        read_tensors(path, "mark")
    write_tensors(path, {"a": torch.arange(30)}, "mark")
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(DataError, match=r"some.safetensors: cannot be read"):
        read_tensors(path, "mark")


def test_a_fingerprint_tells_shapes_and_names_apart() -> None:
    values = torch.arange(6)
    marks = {
        fingerprint(("a", "b"), {"x": values}),
        fingerprint(("a", "b"), {"x": values.view(2, 3)}),
        fingerprint(("a", "b"), {"y": values}),
        fingerprint(("a", "c"), {"x": values}),
        fingerprint(("a", "b"), {"x": values.to(torch.int32)}),
    }
    assert len(marks) == 5
    assert fingerprint(("a",), {"x": values, "y": values}) == fingerprint(
        ("a",), {"y": values, "x": values}
    )


def test_a_disk_that_refuses_is_named_with_the_file(no_room: Any, tmp_path: Path) -> None:
    path = tmp_path / "some.safetensors"
    with no_room(500), pytest.raises(OSError, match="File too large") as caught:
        write_tensors(path, {"a": torch.arange(300)}, "mark")
    assert caught.value.filename == str(path)
    assert list(tmp_path.iterdir()) == []

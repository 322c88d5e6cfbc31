"""The files of a prepared data set: tensors, and what is known about them."""

import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from kdsearch.data.records import DataInfo
from kdsearch.errors import DataError
from kdsearch.files import canonical, damaged, read_json, write_json

INFO = "info.json"
"""Written last: where it is, everything is."""
SEARCH = "search.safetensors"


def fingerprint(classes: tuple[str, ...], tensors: Mapping[str, Tensor]) -> str:
    """Sixteen hexadecimal digits that name class names and the bytes of named tensors."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        header = [name, str(tensor.dtype), list(tensor.shape), list(classes)]
        digest.update(canonical(header).encode())
        digest.update(tensor.contiguous().numpy().data)
    return digest.hexdigest()[:16]


def write_tensors(path: Path, tensors: Mapping[str, Tensor], mark: str) -> None:
    """Writes tensors, marked with the fingerprint of their data set."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        save_file(dict(tensors), temporary, metadata={"fingerprint": mark})
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except SafetensorError as error:
        if code := re.search(r"os error (\d+)", str(error)):
            number = int(code[1])
            raise OSError(number, os.strerror(number), str(path)) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def read_tensors(path: Path, mark: str) -> dict[str, Tensor]:
    """Tensors as written; raises DataError if missing, torn or of another data set."""
    try:
        with safe_open(path, framework="pt") as file:
            found = (file.metadata() or {}).get("fingerprint")
            names = file.keys()  # the file itself cannot be iterated
            tensors = {name: file.get_tensor(name) for name in names}
    except (OSError, SafetensorError) as error:
        raise DataError(
            f"{path}: cannot be read ({error}); remove {path.parent}, and the command "
            "that made it makes it again"
        ) from error
    if found != mark:
        raise DataError(
            f"{path}: holds data {found}, {INFO} tells of {mark}; remove {path.parent}, "
            "and the command that made it makes it again"
        )
    return tensors


def write_info(folder: Path, info: DataInfo) -> None:
    write_json(folder / INFO, info.as_dict())


def read_info(folder: Path) -> DataInfo:
    """What is known about prepared data; raises DataError if there is none."""
    path = folder / INFO
    if not path.exists():
        raise DataError(
            f"{folder}: holds no prepared data ({INFO} is missing); remove it, and "
            "the command that made it makes it again"
        )
    try:
        return DataInfo.of(read_json(path))
    except (TypeError, LookupError) as error:
        raise damaged(path, "not what a run writes") from error

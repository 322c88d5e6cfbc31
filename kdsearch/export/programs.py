"""torch.export programs as files."""

import io
from pathlib import Path
from typing import Any

import torch
from torch import nn

from kdsearch.export.archive import check_archive
from kdsearch.export.original import quiet
from kdsearch.files import write_bytes


def write_program(path: Path, program: Any) -> None:
    buffer = io.BytesIO()
    with quiet():
        torch.export.save(program, buffer)
    write_bytes(path, buffer.getvalue())


def read_program(path: Path) -> nn.Module:
    """The module of a program.

    Raises:
        ExportError: it is not whole, or could run code when it is opened.
    """
    content = path.read_bytes()
    check_archive(path, content)
    with quiet():
        module: nn.Module = torch.export.load(io.BytesIO(content)).module()
    return module

"""Students as source: PLAIN lists the families that are written out; one file per family."""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from kdsearch.export.plain import mobile, reading, resnet, vit


class Pieces(NamedTuple):
    """What one family puts into a file."""

    numbers: Callable[[Mapping[str, Any]], list[str]]
    """Lines for an architecture."""
    parts: tuple[type, ...]
    """Classes copied as they stand; the last one is `Student`."""


PLAIN: Mapping[str, Pieces] = MappingProxyType(
    {
        "resnet": Pieces(resnet.numbers, resnet.PARTS),
        "mobile": Pieces(mobile.numbers, mobile.PARTS),
        "vit": Pieces(vit.numbers, vit.PARTS),
    }
)

IMPORTS = """
import hashlib
import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
"""
DTYPES = 'DTYPES = {"F32": torch.float32, "I64": torch.int64}'


def source(spec: Mapping[str, Any], sha256: str) -> str:
    """A file of one student, which needs torch alone; the same for the same student.

    Args:
        sha256: of its weights.
    """
    pieces = PLAIN[spec["family"]]
    head = (
        f'"""A student of family {spec["family"]}, written by kdsearch: torch alone runs it.\n'
    )
    usage = (
        "\n    student = load()\n"
        "    logits = student(normalise(pixels))\n\n"
        'Weights are in model.safetensors beside this file.\n"""\n'
    )
    constants = [
        f"CHANNELS = {int(spec['channels'])}",
        f"MEAN = {row(map(float, spec['mean']))}",
        f"STD = {row(map(float, spec['std']))}",
        f"CLASSES = {row(map(str, spec['classes']))}",
        *pieces.numbers(spec["architecture"]),
        f'SHA256 = "{sha256}"',
        '"""Of the weights."""',
        DTYPES,
    ]
    parts: tuple[Any, ...] = (*pieces.parts, *reading.PARTS)
    copied = [inspect.getsource(part).rstrip() for part in parts]
    top = head + usage + IMPORTS + "\n" + "\n".join(constants)
    return "\n\n\n".join([top, *copied]) + "\n"


def row(values: Iterable[object]) -> str:
    """A tuple as formatters write it: several values one a line, one alone on the line."""
    texts = [f"{quoted(value)}," for value in values]
    if len(texts) == 1:
        return f"({texts[0]})"
    return "(\n" + "".join(f"    {text}\n" for text in texts) + ")"


def quoted(value: object) -> str:
    """A literal as formatters write it: in double quotes, unless that needs more escapes."""
    text = repr(value)
    if not isinstance(value, str) or value.count('"') > value.count("'"):
        return text
    if text.startswith('"'):
        return text
    plain = re.sub(r"\\(.)", lambda found: "'" if found[1] == "'" else found[0], text[1:-1])
    return '"' + plain.replace('"', '\\"') + '"'

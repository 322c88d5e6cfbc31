"""How a student is handed over: FORMATS lists the ways; one file per format."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from kdsearch.errors import UserError, did_you_mean
from kdsearch.export.format import Format
from kdsearch.export.onnx import Onnx
from kdsearch.export.onnx_int8 import OnnxInt8
from kdsearch.export.openvino import OpenVino
from kdsearch.export.pt2 import Pt2
from kdsearch.export.pt2e_int8 import Pt2eInt8
from kdsearch.export.python import Python
from kdsearch.export.safetensors import Safetensors

FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        f.name: f
        for f in (
            Safetensors(),
            Onnx(),
            Pt2(),
            Python(),
            OnnxInt8(),
            Pt2eInt8(),
            OpenVino(),
        )
    }
)


def formats(names: Iterable[str]) -> dict[str, Format]:
    """The formats of those names; UserError with the nearest one for a name that is none."""
    chosen = {}
    for name in names:
        if name not in FORMATS:
            raise UserError(f"unknown format '{name}'; {did_you_mean(name, FORMATS)}")
        chosen[name] = FORMATS[name]
    return chosen


def written() -> set[str]:
    """Names of all files that some format leaves."""
    return {name for form in FORMATS.values() for name in form.files}

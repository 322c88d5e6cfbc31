"""Teachers: TEACHERS, how one is trained here; SOURCES, where a brought network comes from."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from torch import nn

from kdsearch.teachers import module as own_module
from kdsearch.teachers import timm, torchvision
from kdsearch.teachers.generic import train_generic
from kdsearch.teachers.plain import train_plain
from kdsearch.teachers.student_friendly import train_student_friendly
from kdsearch.teachers.student_oriented import train_student_oriented
from kdsearch.teachers.training import Train, train_none

TEACHERS: Mapping[str, Train] = MappingProxyType(
    {
        "none": train_none,
        "plain": train_plain,
        "student_oriented": train_student_oriented,
        "student_friendly": train_student_friendly,
        "generic": train_generic,
    }
)

SOURCES: Mapping[str, Callable[[str, str | None, int], nn.Module]] = MappingProxyType(
    {"torchvision": torchvision.build, "timm": timm.build, "module": own_module.build}
)
"""Name, weights or None, and the data's number of classes, to the network. A teacher of
another run, `checkpoint:FOLDER`, brings its own origin along; see `make.kept_origin`."""

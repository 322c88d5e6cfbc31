"""Data sets, one per file: read once, split four ways, kept as tensors."""

from collections.abc import Mapping
from types import MappingProxyType

from kdsearch.data.digits import Digits
from kdsearch.data.folder import Folder
from kdsearch.data.module import Module
from kdsearch.data.records import Dataset
from kdsearch.data.torchvision import Torchvision

DATASETS: Mapping[str, Dataset] = MappingProxyType(
    {entry.name: entry for entry in (Digits(), Torchvision(), Folder(), Module())}
)
"""What a config's `data.name` may start with: `name`, or `name:ARGUMENT`."""

"""Student families: FAMILIES lists them; one file per family."""

from collections.abc import Mapping
from types import MappingProxyType

from kdsearch.nets.family import Family
from kdsearch.nets.mobile import MobileFamily
from kdsearch.nets.resnet import ResNetFamily
from kdsearch.nets.vit import VitFamily

FAMILIES: Mapping[str, Family] = MappingProxyType(
    {f.name: f for f in (ResNetFamily(), MobileFamily(), VitFamily())}
)

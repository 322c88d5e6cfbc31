"""Distillation methods: METHODS lists them, ours one file each, and other packages'."""

from collections.abc import Mapping
from types import MappingProxyType

from kdsearch.distill.evolutionary import Evolutionary
from kdsearch.distill.hard import Hard
from kdsearch.distill.information_flow import InformationFlow
from kdsearch.distill.lightskd import LightSKD
from kdsearch.distill.method import Method
from kdsearch.distill.multi_level import MultiLevel
from kdsearch.distill.plugins import plugged_in
from kdsearch.distill.soften import Soften

OURS: Mapping[str, type[Method]] = MappingProxyType(
    {
        m.name: m
        for m in (
            Evolutionary,
            Hard,
            InformationFlow,
            LightSKD,
            MultiLevel,
            Soften,
        )
    }
)
THEIRS, BROKEN = plugged_in(OURS)
"""Methods of other packages, and why some of them cannot be had, by name."""
METHODS: Mapping[str, type[Method]] = MappingProxyType({**OURS, **THEIRS})

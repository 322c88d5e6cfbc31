"""Distillation methods: METHODS lists them; one file per method."""

from collections.abc import Mapping
from types import MappingProxyType

from kdsearch.distill.hard import Hard
from kdsearch.distill.method import Method
from kdsearch.distill.soften import Soften

METHODS: Mapping[str, type[Method]] = MappingProxyType({m.name: m for m in (Hard, Soften)})

"""Engines: ENGINES lists who may execute a search's jobs; one file per engine."""

from collections.abc import Mapping
from types import MappingProxyType

from kdsearch.engines.engine import Engine
from kdsearch.engines.in_process import run_in_process
from kdsearch.engines.ray_tune import run_on_ray_tune

ENGINES: Mapping[str, Engine] = MappingProxyType(
    {"in-process": run_in_process, "ray-tune": run_on_ray_tune}
)

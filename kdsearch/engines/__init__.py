"""Engines: ENGINES lists who may execute a search's jobs, TEAMS who starts processes that train
together; one file each."""

from collections.abc import Mapping
from types import MappingProxyType

from kdsearch.engines.engine import Engine
from kdsearch.engines.in_process import run_in_process
from kdsearch.engines.ray_actors import run_on_ray_actors
from kdsearch.engines.ray_train import start_with_ray
from kdsearch.engines.ray_tune import run_on_ray_tune
from kdsearch.engines.team import Start, start_with_torch

ENGINES: Mapping[str, Engine] = MappingProxyType(
    {
        "in-process": run_in_process,
        "ray-tune": run_on_ray_tune,
        "ray-actors": run_on_ray_actors,
    }
)

TEAMS: Mapping[str, Start] = MappingProxyType(
    {
        "in-process": start_with_torch,
        "ray-tune": start_with_ray,
        "ray-actors": start_with_ray,
    }
)
"""By the search's engine."""

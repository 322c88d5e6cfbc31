"""The config of a run: Pydantic at the edge. Reads, overrides, checks, freezes."""

from kdsearch.config.models import Config
from kdsearch.config.read import parse_config, read_config
from kdsearch.config.write import resolved_yaml

__all__ = ["Config", "parse_config", "read_config", "resolved_yaml"]

"""What a student may cost at most, on any of a run's targets."""

from pydantic import ConfigDict, Field

from kdsearch.config.section import Section
from kdsearch.config.values import Limit


class Budget(Section):
    """What a student may cost at most: a number, or a share of the largest student ('60%');
    of a further target's latencies under their names, latency_ms@edge."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Limit] = Field(init=False)

    latency_ms: Limit | None = None
    """Median time of one forward pass, in milliseconds."""
    params: Limit | None = None
    """Number of parameters."""
    macs: Limit | None = None
    """Multiply-accumulate operations per image."""
    latency_p95_ms: Limit | None = None
    """95th percentile of the time of one forward pass, in milliseconds."""
    latency_p99_ms: Limit | None = None
    """99th percentile of the time of one forward pass, in milliseconds."""
    energy_uj: Limit | None = None
    """Energy per image in microjoules, an estimate from params and macs (docs/search.md)."""

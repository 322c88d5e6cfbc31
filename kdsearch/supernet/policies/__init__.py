"""Sampling policies: POLICIES lists them; one file each."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from kdsearch.supernet.policies.importance import Importance
from kdsearch.supernet.policies.latency_weighted import LatencyWeighted
from kdsearch.supernet.policies.learned import Learned
from kdsearch.supernet.policies.policy import Policy, Terms
from kdsearch.supernet.policies.sandwich import Sandwich
from kdsearch.supernet.policies.uniform import Uniform

POLICIES: Mapping[str, Callable[[Terms], Policy]] = MappingProxyType(
    {
        "sandwich": Sandwich,
        "uniform": Uniform,
        "learned": Learned,
        "importance": Importance,
        "latency_weighted": LatencyWeighted,
    }
)

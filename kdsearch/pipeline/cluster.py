"""What a config says of Ray, in the engines' own terms."""

from kdsearch.config import Config
from kdsearch.core.progress import Progress
from kdsearch.engines.cluster import DRIVER, Cluster
from kdsearch.engines.ray_latency import Node


def cluster_of(config: Config) -> Cluster:
    it = config.ray
    return Cluster(it.address, it.resources.cpu, it.resources.gpu, it.latency_node or DRIVER)


def node_of(config: Config, progress: Progress) -> Node | None:
    """Where a search's latencies are measured; None: in this process."""
    cluster = cluster_of(config)
    if config.search.engine == "in-process" or cluster.latency_node == DRIVER:
        return None
    return Node(cluster, config.search.workers, progress)

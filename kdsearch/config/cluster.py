"""What a config may say of Ray: where it runs, and what a job takes of it."""

from kdsearch.config.section import Section
from kdsearch.config.values import AboveZero, NotBelowZero


class Resources(Section):
    """Of each job of a search."""

    cpu: AboveZero = 1
    """Processors; 0.5 lets two jobs share one."""
    gpu: NotBelowZero | None = None
    """GPUs: 0.25 lets four jobs share one. Null: an even share of those there are among
    search.workers, none with device: cpu."""


class Ray(Section):
    """The cluster of engines ray-tune and ray-actors."""

    address: str | None = None
    """auto: the cluster that this machine is a node of; HOST:PORT: the same by its head's
    address; ray://HOST:PORT: from outside, with ray-actors. Null: RAY_ADDRESS if it is set,
    else Ray is started on this machine alone."""
    resources: Resources = Resources()
    latency_node: str | None = None
    """Where latencies are measured. driver (null): in the process that runs the search, while
    it has no jobs in flight; whole: on a node that is taken whole meanwhile (with ray-actors);
    or the name of a custom resource of nodes set aside, beside which training goes on."""

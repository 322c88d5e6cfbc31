"""Latencies on a node of the cluster that has nothing else to do: set aside, or taken whole.

Nodes that are set aside carry a custom resource and no processors of Ray's, so that no job is
ever placed there. A whole node is a task that asks for all of its processors, on one of the
most frequent kind of node, so that the next sitting of a run finds the same kind.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from kdsearch.core.progress import Progress, Silent
from kdsearch.core.records import Architecture
from kdsearch.engines.cluster import WHOLE, Cluster
from kdsearch.engines.engine import RETRIES
from kdsearch.engines.ray_start import started
from kdsearch.errors import ConfigError, SearchError, UserError, did_you_mean
from kdsearch.files import canonical
from kdsearch.measure.book import CostBook, here
from kdsearch.measure.fingerprint import fingerprint
from kdsearch.measure.latency import Latency, Target
from kdsearch.stopping import STOP, Stopped

KEY = "ray.latency_node"
NOTICE_S = 15.0
POLL_S = 1.0
SET_ASIDE = "ray start --num-cpus=0 --resources='{\"bench\": 1}' sets one aside"
RAYS_OWN = ("CPU", "GPU", "memory", "object_store_memory", "node:", "accelerator_type:")

Mark = Mapping[str, str | int]
"""A fingerprint."""
Options = dict[str, Any]
"""Of a Ray task."""

IDLERS: list[Callable[[], None]] = []
"""Each lets go of the processors that it holds without using them."""


@contextmanager
def making_room(let_go: Callable[[], None]) -> Iterator[None]:
    """Within the block `let_go` is called before a node is taken whole."""
    IDLERS.append(let_go)
    try:
        yield
    finally:
        IDLERS.remove(let_go)


class Node:
    """A node to measure on, of one kind; see `Measure`."""

    def __init__(self, cluster: Cluster, workers: int, progress: Progress) -> None:
        self._cluster, self._workers, self._progress = cluster, workers, progress
        self._name = cluster.latency_node
        self._kin: frozenset[str] = frozenset()
        """Ids of the nodes that were of this kind when they were asked."""

    @property
    def is_apart(self) -> bool:
        """Whether no job is ever placed there."""
        return self._name != WHOLE

    def fingerprint(self, target: Target) -> Mark:
        """What its latencies hold for; asks the node.

        Raises:
            UserError: there is no such node, or it has too few processors.
        """
        with started(self._workers, self._cluster) as ray:
            places = self._places(ray)
            asked = {node: self._asked(ray, target, places[node]) for node in places}
        marks = {canonical(mark): mark for mark in asked.values() if mark is not None}
        if not marks:
            raise SearchError(f"{KEY}: {self._name}: no node answers")
        if self.is_apart and len(marks) > 1:
            raise UserError(
                f"{KEY}: {self._name}: nodes of several kinds have this resource "
                f"({'; '.join(sorted(str(m['device']) for m in marks.values()))}); their "
                "latencies cannot be compared, give one kind another name"
            )
        counts = Counter(canonical(mark) for mark in asked.values() if mark is not None)
        mark = marks[min(counts, key=lambda kind: (-counts[kind], kind))]
        self._kin = frozenset(node for node in asked if asked[node] == mark)
        if target.threads > int(mark["cores"]):
            raise ConfigError(
                f"latency.threads: {target.threads}, but the node to measure on has "
                f"{mark['cores']} processors"
            )
        return mark

    def __call__(
        self, book: CostBook, architectures: Sequence[Architecture]
    ) -> Mapping[str, Latency]:
        """
        Raises:
            SearchError: no node of the book's kind is left.
            RunError: others keep the node busy, and the book's watch refuses to measure then.
        """
        travelling = replace(
            book,
            folder=book.folder.absolute(),
            progress=Silent(),
            sizes={},
            measure=here,
        )
        self._progress.say(f"latency: {len(architectures)} students on {self._words()}")
        with started(self._workers, self._cluster) as ray:
            for _ in range(1 + RETRIES):
                for options in self._asking(self._places(ray)):
                    task = ray.remote(measured_there).options(max_retries=0, **options)
                    found = self._waited(ray, task.remote(travelling, list(architectures)))
                    if found is not None:
                        return found
        raise SearchError(
            f"{KEY}: {self._name}: no node like the one before ({book.device['device']}) is "
            "left to measure on; the same command goes on once there is"
        )

    def _asking(self, places: Mapping[str, Options]) -> Iterator[Options]:
        """What to ask for, one after the other: whichever node set aside is free, or a whole
        one, those of this kind first; makes room for that.
        """
        if self.is_apart:
            yield {"num_cpus": 0, "resources": {self._name: 1}}
            return
        for let_go in IDLERS:
            let_go()
        yield from (places[node] for node in sorted(places, key=lambda n: n not in self._kin))

    def _words(self) -> str:
        return "a whole node" if self._name == WHOLE else f"node '{self._name}'"

    def _places(self, ray: Any) -> dict[str, Options]:
        """By node's id a task's options for each node in question, the driver's own last.

        Raises:
            UserError: there is none.
        """
        nodes = [node for node in ray.nodes() if node["Alive"]]
        if self._name == WHOLE:
            own = ray.get_runtime_context().get_node_id()
            found = [n for n in nodes if n["Resources"].get("CPU", 0) >= 1]
            found.sort(key=lambda n: (n["NodeID"] == own, n["NodeID"]))
            taken = [{"num_cpus": n["Resources"]["CPU"]} for n in found]
        else:
            found = [n for n in nodes if self._name in n["Resources"]]
            taken = [{"num_cpus": 0, "resources": {self._name: 1}}] * len(found)
            self._check(nodes, found)
        return {
            node["NodeID"]: {**options, "scheduling_strategy": only_on(node["NodeID"])}
            for options, node in zip(taken, found, strict=True)
        }

    def _check(self, nodes: Sequence[Any], found: Sequence[Any]) -> None:
        """Whether the nodes set aside are, and there is one."""
        if not found:
            known = {r for n in nodes for r in n["Resources"] if not r.startswith(RAYS_OWN)}
            raise UserError(
                f"{KEY}: {self._name}: no node has this resource; "
                f"{did_you_mean(self._name, {*known, 'driver', 'whole'})}; {SET_ASIDE}"
            )
        for node in found:
            if processors := node["Resources"].get("CPU"):
                raise UserError(
                    f"{KEY}: {self._name}: node {node['NodeManagerAddress']} offers "
                    f"{processors:g} processors to jobs, too, which would disturb the "
                    f"measurement; {SET_ASIDE}"
                )

    def _asked(self, ray: Any, target: Target, options: Options) -> Mark | None:
        """The fingerprint of the node there, which takes nothing of it; None where it went."""
        free = {"num_cpus": 0, "scheduling_strategy": options["scheduling_strategy"]}
        try:
            mark: Mark = ray.get(ray.remote(fingerprint).options(**free).remote(target))
        except ray.exceptions.RayTaskError as error:
            raise error.cause from error
        except ray.exceptions.RayError:
            return None
        return mark

    def _waited(self, ray: Any, ref: Any) -> Mapping[str, Latency] | None:
        """What the task gives; None where its node went, or is of another kind."""
        begun, is_told = time.monotonic(), False
        while not ray.wait([ref], timeout=POLL_S)[0]:
            if STOP.is_asked():
                ray.cancel(ref, force=True)
                raise Stopped
            if not is_told and time.monotonic() - begun > NOTICE_S:
                is_told = True
                self._progress.say(f"latency: waiting for {self._words()}")
        try:
            found: Mapping[str, Latency] | None = ray.get(ref)
        except ray.exceptions.RayTaskError as error:
            raise error.cause from error
        except ray.exceptions.RayError:
            return None
        return found


def only_on(node: str) -> Any:
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    return NodeAffinitySchedulingStrategy(node, soft=False)


def measured_there(
    book: CostBook, architectures: Sequence[Architecture]
) -> Mapping[str, Latency] | None:
    """On the node; None where it is not of the book's kind."""
    is_same = fingerprint(book.target) == book.device
    return book.measured(architectures) if is_same else None

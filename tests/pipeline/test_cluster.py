"""The section `ray` in the engines' terms, and a cost book that measures elsewhere."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from kdsearch.config import parse_config
from kdsearch.core.progress import Silent
from kdsearch.core.records import Architecture
from kdsearch.data.stored import read_info
from kdsearch.engines.cluster import Cluster
from kdsearch.engines.ray_latency import Node
from kdsearch.measure.book import CostBook
from kdsearch.measure.latency import Latency
from kdsearch.pipeline import costs as costs_module
from kdsearch.pipeline.cluster import cluster_of, node_of
from kdsearch.pipeline.context import open_context
from kdsearch.pipeline.costs import open_book
from kdsearch.pipeline.terms import prices_of, terms_of
from kdsearch.rundir import RunDir

ON_RAY = {"engine": "ray-actors", "workers": 3}


def config_of(engine: str = "ray-tune", **ray: Any) -> Any:
    return parse_config({"search": {"engine": engine}, "ray": ray})


def test_what_the_config_says_is_what_the_engine_is_told() -> None:
    assert cluster_of(config_of("in-process")) == Cluster()
    resources = {"cpu": 2, "gpu": 0.25}
    config = config_of(address="auto", resources=resources, latency_node="bench")
    assert cluster_of(config) == Cluster("auto", 2, 0.25, "bench")


@pytest.mark.parametrize(
    ("engine", "node", "expected"),
    [
        ("in-process", None, None),
        ("ray-actors", None, None),
        ("ray-actors", "driver", None),
        ("ray-actors", "whole", False),
        ("ray-tune", "bench", True),
    ],
)
def test_latencies_are_measured_here_or_there(
    engine: str, node: str | None, expected: bool | None
) -> None:
    found = node_of(config_of(engine, latency_node=node), Silent())
    assert (None if found is None else found.is_apart) == expected


class Elsewhere(Node):
    """A node that measures nothing and says what it is."""

    def fingerprint(self, target: Any) -> Mapping[str, str | int]:
        return {"device": "Fast 9000", "cores": 64}

    def __call__(
        self, book: CostBook, architectures: Sequence[Architecture]
    ) -> Mapping[str, Latency]:
        return {a.id: Latency(1.0, 2.0, (0.5, 1.5), 3) for a in architectures}


@pytest.mark.parametrize(("node", "known"), [("bench", True), ("whole", False)])
def test_a_book_measures_elsewhere_and_says_so(
    finished: RunDir,
    tiny: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    node: str,
    known: bool,
) -> None:
    """Beside a node set aside training goes on; a whole node is taken when none does."""
    monkeypatch.setattr(
        costs_module, "node_of", lambda c, p: Elsewhere(cluster_of(c), c.search.workers, p)
    )
    search = {**ON_RAY, "objectives": ["accuracy", "latency_ms"]}
    config = parse_config(
        tiny(
            search=search,
            ray={"latency_node": node},
            latency={"threads": 64},
            store=str(tmp_path / "store"),
        )
    )
    context = open_context(config, tmp_path / "run", Silent())
    info = read_info(Path(finished.facts()["data"]))
    book = open_book(context, info)
    assert book.folder != (finished.root / "latency").resolve()
    assert book.device == {"device": "Fast 9000", "cores": 64}
    smallest = Architecture.of(context.space.space.smallest())
    prices = prices_of(book, terms_of(context), {})
    assert prices.are_known([smallest]) == known
    assert prices.of([smallest])[smallest.id]["latency_ms"] == 1.0
    assert prices.are_known([smallest])
    here = open_book(context, info, elsewhere=False)
    assert here.folder != book.folder and not here.is_apart
    assert here.measure is not book.measure

"""The section `ray` in the engines' terms, and a cost book that measures elsewhere."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from kdsearch.config import parse_config
from kdsearch.core.progress import Silent
from kdsearch.core.records import Architecture
from kdsearch.data.stored import read_info
from kdsearch.engines.cluster import Cluster
from kdsearch.engines.engine import Workshop
from kdsearch.engines.ray_latency import Node
from kdsearch.measure.book import CostBook
from kdsearch.measure.latency import Latency
from kdsearch.pipeline import cluster as cluster_module
from kdsearch.pipeline import costs as costs_module
from kdsearch.pipeline import jobs as jobs_module
from kdsearch.pipeline.cluster import (
    cluster_of,
    device_of_jobs,
    node_of,
    precision_of_jobs,
)
from kdsearch.pipeline.context import open_context
from kdsearch.pipeline.costs import open_books
from kdsearch.pipeline.jobs import work_off
from kdsearch.pipeline.lessons import Classroom, lesson_setting
from kdsearch.pipeline.terms import prices_of, terms_of
from kdsearch.rundir import RunDir
from kdsearch.search.source import Phases

ON_RAY = {"engine": "ray-actors", "workers": 3}


def config_of(engine: str = "ray-tune", **ray: Any) -> Any:
    return parse_config({"search": {"engine": engine}, "ray": ray})


def test_what_the_config_says_is_what_the_engine_is_told() -> None:
    assert cluster_of(config_of("in-process")) == Cluster()
    resources = {"cpu": 2, "gpu": 0.25}
    config = config_of(address="auto", resources=resources, latency_node="bench")
    assert cluster_of(config) == Cluster("auto", 2, 0.25, "bench")


@pytest.mark.parametrize(
    ("asked", "there", "own", "expected"),
    [
        # a driver without a GPU
        (("ray-tune", "auto", None), 2, "cpu", ("auto", "bf16")),
        (("ray-tune", "auto", None), 0, "cpu", ("auto", "float32")),
        (("ray-actors", "auto", 0.25), 0, "cpu", ("auto", "bf16")),  # they may come yet
        (("ray-actors", "auto", 0), 2, "cpu", ("auto", "float32")),
        (("ray-tune", "cpu", None), 2, "cpu", ("cpu", "float32")),
        (("in-process", "auto", None), 2, "cpu", ("cpu", "float32")),
        # one with a GPU that has no bf16
        (("in-process", "auto", None), 2, "cuda", ("cuda", "float32")),
        (("ray-tune", "auto", None), 2, "cuda", ("auto", "float32")),
        (("ray-tune", "cuda", None), 2, "cuda", ("cuda", "float32")),
    ],
)
def test_jobs_train_on_what_the_cluster_gives_them(
    asked: tuple[str, str, float | None],
    there: int,
    own: str,
    expected: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Whatever the driver has, which trains teacher and supernet."""
    monkeypatch.setattr(cluster_module, "gpus_there", lambda workers, cluster: there)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: own == "cuda")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: False)
    engine, device, gpu = asked
    content = {"search": {"engine": engine}, "ray": {"resources": {"gpu": gpu}}}
    config = parse_config({**content, "device": device})
    context = open_context(config, tmp_path / "run", Silent())
    assert (context.device, context.precision) == (own, "float32")
    assert (device_of_jobs(context), precision_of_jobs(context)) == expected


def test_a_precision_that_the_config_names_asks_no_cluster(tmp_path: Path) -> None:
    content = {"search": {"engine": "ray-tune"}, "ray": {"address": "10.255.255.1:6379"}}
    config = parse_config({**content, "precision": "float32"})
    context = open_context(config, tmp_path / "run", Silent())
    assert precision_of_jobs(context) == "float32"


def test_what_travels_is_open_and_what_the_driver_does_is_not(
    finished: RunDir, tiny: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = parse_config(tiny(search={"engine": "ray-tune"}, device="auto"))
    context = open_context(config, tmp_path / "run", Silent())
    data = Path(finished.facts()["data"])
    setting = lesson_setting(context, Classroom(data, read_info(data), None), [])
    shops: list[Workshop] = []
    noting = {"ray-tune": lambda source, shop: shops.append(shop)}
    monkeypatch.setattr(jobs_module, "ENGINES", noting)
    work_off(context, setting, Phases(iter(())))  # type: ignore[arg-type]
    assert (setting.device, shops[0].setting.device) == (context.device, "auto")


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
    books = open_books(context, info)
    book = books.first
    assert book.folder != (finished.root / "latency").resolve()
    assert book.device == {"device": "Fast 9000", "cores": 64}
    smallest = Architecture.of(context.space.space.smallest())
    prices = prices_of(books, terms_of(context), {})
    assert prices.are_known([smallest]) == known
    assert prices.of([smallest])[smallest.id]["latency_ms"] == 1.0
    assert prices.are_known([smallest])
    here = open_books(context, info, elsewhere=False).first
    assert here.folder != book.folder and not here.is_apart
    assert here.measure is not book.measure

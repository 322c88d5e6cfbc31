"""A config's search in the search's own terms: limits with what was spent, costs as asked."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kdsearch.config import parse_config
from kdsearch.core.budget import parse
from kdsearch.core.objectives import KNOWN
from kdsearch.core.progress import Silent
from kdsearch.core.records import Architecture, Result
from kdsearch.files import write_json
from kdsearch.measure.books import Books
from kdsearch.pipeline.context import Context, open_context
from kdsearch.pipeline.ledger import spend
from kdsearch.pipeline.terms import limits_of, prices_of, terms_of

STUDENT = Architecture.of({"width": 2})


def opened(config: dict[str, Any], out: Path) -> Context:
    return open_context(parse_config(config), out, Silent())


def test_what_the_config_says(tiny: Any, tmp_path: Path) -> None:
    search = {
        "trials": 30, "batch_size": 5, "rungs": [0.1, 0.5, 1.0], "screen_layers": 3,
        "reduction": 4, "audit": False, "objectives": ["macro_f1", "params"],
    }  # fmt: skip
    terms = terms_of(opened(tiny(search=search, budget={"macs": "50%"}, seed=7), tmp_path))
    assert (terms.trials, terms.batch, terms.fractions) == (30, 5, (0.1, 0.5, 1.0))
    assert (terms.keep_layers, terms.reduction, terms.audits) == (3, 4, False)
    assert terms.objectives == (KNOWN["macro_f1"], KNOWN["params"])
    assert terms.bounds == (parse("macs", "50%"),) and terms.seed == 7


def test_a_grid_has_as_many_trials_as_students_at_most(tiny: Any, tmp_path: Path) -> None:
    distill = {"methods": ["soften"]}
    for trials, expected in ((20, 20), (5000, 1000)):
        search = {"sampler": "grid", "trials": trials}
        assert (
            terms_of(opened(tiny(distill=distill, search=search), tmp_path)).trials == expected
        )
    assert terms_of(opened(tiny(search={"trials": 5000}), tmp_path)).trials == 5000


def test_limits_go_on_from_what_was_spent(tiny: Any, tmp_path: Path) -> None:
    """Seconds of the search's stage; device-seconds of its rungs, not of the finalists'."""
    search = {"seconds": 60, "device_seconds": 50, "patience": 9, "rungs": [0.1, 0.5, 1.0]}
    context = opened(tiny(search=search), tmp_path / "run")
    spend(context.run.ledger, "search", 12.5, "this")
    spend(context.run.ledger, "search", 30.0, "another")
    spend(context.run.ledger, "teacher", 100.0)
    trials = context.run.trials("this")
    for rung, seconds in ((1, 2.0), (2, 4.0), (3, 32.0)):
        result = Result("a job", rung, "done", seconds=seconds)
        write_json(trials / "0000" / f"rung{rung}.json", result.as_dict())
    limits = limits_of(context, terms_of(context), "this")
    assert (limits.seconds, limits.spent) == (60, 12.5)
    assert (limits.device_seconds, limits.device_spent) == (50, 6.0)
    assert limits.patience == 9 and limits.objectives == terms_of(context).objectives


@pytest.mark.parametrize(
    ("objectives", "bounds", "timed"),
    [
        (["accuracy", "macs"], {}, []),
        (["accuracy", "energy_uj"], {"params": 5}, []),
        (["accuracy", "latency_ms"], {}, ["server"]),
        (["accuracy", "latency_p95_ms"], {}, ["server"]),
        (["accuracy", "macs"], {"latency_ms": 5}, ["server"]),
        (["accuracy", "macs"], {"latency_p95_ms": "50%"}, ["server"]),
        (["accuracy", "latency_p99_ms@edge"], {}, ["edge"]),
        (["accuracy", "latency_ms"], {"latency_ms@edge": 5}, ["server", "edge"]),
    ],
)
def test_a_latency_is_measured_only_where_the_search_depends_on_it(
    tiny: Any, tmp_path: Path, objectives: list[str], bounds: dict[str, Any], timed: list[str]
) -> None:
    asked: list[str] = []

    def of_target(name: str) -> Any:
        def latencies(students: Sequence[Architecture]) -> dict[str, Any]:
            asked.append(name)
            return {}

        return SimpleNamespace(
            size=lambda _: {}, latencies=latencies, knows=lambda _: False, is_apart=False
        )

    books = Books({name: of_target(name) for name in ("server", "edge")})
    config = tiny(search={"objectives": objectives}, budget=bounds)
    config["latency"] = [{"name": "server"}, {"name": "edge"}]
    prices = prices_of(books, terms_of(opened(config, tmp_path)), {"macs": 9.0})
    prices.of([STUDENT])
    assert asked == timed and prices.largest == {"macs": 9.0}
    assert prices.are_known([STUDENT]) is not bool(timed), "nothing has to wait for a count"


def test_a_latency_measured_before_is_known(tiny: Any, tmp_path: Path) -> None:
    terms = terms_of(opened(tiny(search={"objectives": ["accuracy", "latency_ms"]}), tmp_path))
    seen: Any = SimpleNamespace(knows=lambda asked: list(asked) == [STUDENT], is_apart=False)
    prices = prices_of(Books({"server": seen}), replace(terms, bounds=()), {})
    assert prices.are_known([STUDENT]) and not prices.are_known([STUDENT, STUDENT])

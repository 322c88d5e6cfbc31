import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdsearch.core.amounts import amount, title
from kdsearch.core.budget import ALWAYS, Bound, parse
from kdsearch.core.costs_named import (
    QUANTILES,
    TARGET_NAME,
    asked_bound,
    asked_cost,
    cost_and_target,
    is_timed,
    of_further,
    on_target,
)
from kdsearch.core.objectives import KNOWN, known_on, ours
from kdsearch.errors import UserError

NAMES = st.from_regex(TARGET_NAME, fullmatch=True)


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("latency_ms", "latency_ms"),
        ("latency_ms.p50", "latency_ms"),
        ("latency_ms.p95", "latency_p95_ms"),
        ("latency_ms.p99", "latency_p99_ms"),
        ("latency_ms.p95@edge", "latency_p95_ms@edge"),
        ("latency_ms@edge", "latency_ms@edge"),
        ("latency_ms@server", "latency_ms"),
        ("latency_p99_ms @ server", "latency_p99_ms"),
        ("params", "params"),
        ("params@server", "params@server"),
        ("latency_ms.p42", "latency_ms.p42"),
        ("latency", "latency"),
    ],
)
def test_a_cost_has_one_name_however_it_is_asked_for(asked: str, name: str) -> None:
    assert asked_cost(asked, "server") == name


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (("latency_ms", "5"), ("latency_ms", "5")),
        (("latency_ms", "6@edge"), ("latency_ms@edge", "6")),
        (("latency_ms.p95", "6@edge"), ("latency_p95_ms@edge", "6")),
        (("latency_p95_ms", "60%@server"), ("latency_p95_ms", "60%")),
        (("params", "60%"), ("params", "60%")),
    ],
)
def test_a_target_may_stand_after_the_limit(
    asked: tuple[str, str], found: tuple[str, str]
) -> None:
    assert asked_bound(*asked, first="server") == found


@given(NAMES, st.sampled_from(list(QUANTILES.values())))
def test_names_of_costs_are_taken_apart_as_they_were_put_together(
    target: str, cost: str
) -> None:
    name = on_target(cost, target)
    assert cost_and_target(name) == (cost, target)
    assert is_timed(name)
    assert asked_cost(asked_cost(name, "server"), "server") == asked_cost(name, "server")
    assert asked_cost(name, target) == cost


def test_what_is_timed_is_a_latency() -> None:
    assert is_timed("latency_p95_ms")
    assert not any(map(is_timed, ("params", "params@edge", "latency_ms@", "accuracy")))


def test_every_further_target_has_each_cost_of_the_first() -> None:
    assert of_further(("server", "edge")) == (
        "latency_ms@edge",
        "latency_p95_ms@edge",
        "latency_p99_ms@edge",
    )
    known = known_on(("server", "edge"))
    assert set(known) == {*KNOWN, *of_further(("server", "edge"))}
    assert known_on(("server",)) == dict(KNOWN)
    assert not known["latency_ms@edge"].maximised
    assert "on target edge" in known["latency_ms@edge"].about


def test_ours_are_told_by_name() -> None:
    assert ours("latency_ms") is KNOWN["latency_ms"]
    assert ours("latency_p99_ms@edge") == known_on(("a", "edge"))["latency_p99_ms@edge"]
    assert ours("accuracy@edge") is None
    assert ours("margin") is None


def test_a_further_targets_latency_reads_as_the_first_ones() -> None:
    assert title("latency_ms@edge") == "latency p50 @edge"
    assert title("latency_p99_ms") == "latency p99"
    assert title("margin") == "margin"
    assert amount("latency_p95_ms@edge", 0.25) == amount("latency_p95_ms", 0.25)


def test_a_budget_bounds_a_further_target() -> None:
    known = (*ALWAYS, *(known_on(("server", "edge"))[n] for n in of_further(("", "edge"))))
    bound = Bound("latency_p95_ms@edge", 0.6, True, True)
    assert parse("latency_ms.p95@edge", "60%", known=known) == bound
    assert parse("latency_ms.p95", "60% @ edge", known=known) == bound
    assert parse("latency_ms@server", 5, known=known, first="server").name == "latency_ms"
    with pytest.raises(UserError, match=r"no target 'edgy'; did you mean 'edge'"):
        parse("latency_ms@edgy", 5, known=known, first="server")
    with pytest.raises(UserError, match="there is one target alone"):
        parse("latency_ms@edge", 5)

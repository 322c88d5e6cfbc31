import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdsearch.core.budget import COSTS, Bound, broken, parse, resolve
from kdsearch.core.objectives import KNOWN, Objective
from kdsearch.errors import UserError

LARGEST = {
    "latency_ms": 2.0,
    "latency_p95_ms": 3.0,
    "latency_p99_ms": 4.0,
    "params": 1000.0,
    "macs": 5e6,
    "energy_uj": 24.0,
}


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("5", Bound("params", 5.0, False, True)),
        (5.0, Bound("params", 5.0, False, True)),
        (" 2.5e3 ", Bound("params", 2500.0, False, True)),
        ("60%", Bound("params", 0.6, True, True)),
        ("120 %", Bound("params", 1.2, True, True)),
    ],
)
def test_a_bound_is_a_number_or_a_share(text: str | float, bound: Bound) -> None:
    assert parse("params", text) == bound


@pytest.mark.parametrize("text", ["", "fast", "-1", "0", "0%", "nan", "inf", "5ms", "%"])
def test_a_bound_is_above_zero_and_finite(text: str | float) -> None:
    with pytest.raises(UserError, match="params = "):
        parse("params", text)


def test_an_unknown_quantity_is_named() -> None:
    with pytest.raises(UserError, match="'latency'.*did you mean 'latency_ms'"):
        parse("latency", "5")
    with pytest.raises(UserError, match="'accuracy' can be bound from below"):
        parse("accuracy", 0.9)
    with pytest.raises(UserError, match="'params' can be bound from above"):
        parse("params", "5", upper=False)


SEARCH = (
    KNOWN["macro_f1"],
    KNOWN["calibration_error"],
    Objective("margin", maximised=True, scored=True, function="module:a.b:margin"),
)


def test_objectives_of_a_run_may_be_bound_too() -> None:
    for name in ("macro_f1", "calibration_error", "margin"):
        upper = name == "calibration_error"
        assert parse(name, 0.5, upper=upper, known=SEARCH) == Bound(name, 0.5, False, upper)
        with pytest.raises(UserError, match=f"'{name}' can be bound from"):
            parse(name, 0.5, upper=not upper, known=SEARCH)
        with pytest.raises(UserError, match="a score is absolute"):
            parse(name, "50%", upper=upper, known=SEARCH)
        with pytest.raises(UserError, match=f"unknown bound '{name}'"):
            parse(name, 0.5, upper=upper)


def test_a_score_of_ones_own_may_be_below_zero() -> None:
    bound = parse("margin", "-2", upper=False, known=SEARCH)
    assert broken([bound], {"margin": -3.0}, LARGEST) == {"margin": 0.5}
    assert broken([bound], {"margin": -1.0}, LARGEST) == {}
    zero = parse("margin", 0, upper=False, known=SEARCH)
    assert broken([zero], {"margin": -3.0}, LARGEST) == {"margin": 3.0}
    with pytest.raises(UserError, match="a score is above 0 and at most 1"):
        parse("macro_f1", "-2", upper=False, known=SEARCH)


@pytest.mark.parametrize("text", ["90", "1.0001", "0", "-0.5", "nan", "inf", "1_0", "٣"])
def test_an_accuracy_lies_between_0_and_1(text: str) -> None:
    with pytest.raises(
        UserError, match="an accuracy is above 0 and at most 1, for example 0.9"
    ):
        parse("accuracy", text, upper=False)
    assert parse("accuracy", "1", upper=False).value == 1.0


@pytest.mark.parametrize(("name", "text"), [("latency_ms@", "3"), ("latency_ms", "5@")])
def test_a_target_has_a_name(name: str, text: str) -> None:
    with pytest.raises(UserError, match="no target stands behind '@'"):
        parse(name, text)


@pytest.mark.parametrize("text", ["1_000", "٣", "0x10", "5 6", "1e"])
def test_a_number_is_written_plainly(text: str) -> None:
    with pytest.raises(UserError, match="a number above 0"):
        parse("params", text)


def test_an_accuracy_is_absolute() -> None:
    assert parse("accuracy", "0.9", upper=False) == Bound("accuracy", 0.9, False, False)
    with pytest.raises(UserError, match="absolute"):
        parse("accuracy", "90%", upper=False)


def test_a_share_is_one_of_the_largest_students() -> None:
    assert resolve(parse("latency_ms", "60%"), LARGEST) == pytest.approx(1.2)
    assert resolve(parse("latency_ms", 0.5), LARGEST) == 0.5


def test_misses_by_hand() -> None:
    bounds = [parse("latency_ms", "50%"), parse("params", 800.0), parse("macs", 1e6)]
    bounds.append(parse("accuracy", 0.8, upper=False))
    costs = {"latency_ms": 1.5, "params": 800.0, "accuracy": 0.6}  # macs not known yet
    missed = broken(bounds, costs, LARGEST)
    assert missed == pytest.approx({"latency_ms": 0.5, "accuracy": 0.25})
    assert broken(bounds, {"latency_ms": 1.0, "params": 1.0, "accuracy": 0.8}, LARGEST) == {}


@given(st.sampled_from(COSTS), st.floats(0.01, 2.0), st.floats(0.01, 1e7))
def test_a_bound_is_broken_exactly_above_its_limit(
    name: str, share: float, cost: float
) -> None:
    bound = Bound(name, share, True, True)
    limit = share * LARGEST[name]
    assert (name in broken([bound], {name: cost}, LARGEST)) == (cost > limit)


def test_of_two_bounds_on_one_quantity_the_tightest_counts() -> None:
    bounds = [parse("params", 500.0), parse("params", 800.0)]
    for order in (bounds, bounds[::-1]):
        assert broken(order, {"params": 1000.0}, LARGEST) == pytest.approx({"params": 1.0})


def test_bounds_read_as_a_person_writes_them() -> None:
    assert str(parse("latency_ms", "60%")) == "latency_ms <= 60%"
    assert str(parse("params", 1200.0)) == "params <= 1200"
    assert str(parse("accuracy", 0.9, upper=False)) == "accuracy >= 0.9"

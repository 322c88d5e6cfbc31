"""Directions: what is better is smaller once it is minimised, whatever the mixture."""

from hypothesis import given
from hypothesis import strategies as st

from kdsearch.core.objectives import KNOWN, Objective, beyond_accuracy, in_order, minimised
from kdsearch.core.pareto import dominates, front

NUMBER = st.floats(-1e6, 1e6)
OWN = Objective("own", maximised=True, scored=True, function="module:a.b:f")


@st.composite
def searches(draw: st.DrawFn) -> tuple[list[Objective], list[dict[str, float]]]:
    """Two to six objectives in any directions, and points with a value of each."""
    ways = draw(st.lists(st.booleans(), min_size=2, max_size=6))
    asked = [Objective(f"o{i}", up, scored=up) for i, up in enumerate(ways)]
    values = st.fixed_dictionaries({one.name: NUMBER for one in asked})
    return asked, draw(st.lists(values, min_size=1, max_size=8))


def beats(one: dict[str, float], other: dict[str, float], asked: list[Objective]) -> bool:
    """In plain words: nowhere worse, somewhere better."""
    better = [
        one[o.name] > other[o.name] if o.maximised else one[o.name] < other[o.name]
        for o in asked
    ]
    equal = [one[o.name] == other[o.name] for o in asked]
    return any(better) and all(b or e for b, e in zip(better, equal, strict=True))


@given(searches())
def test_dominance_in_mixed_directions(
    search: tuple[list[Objective], list[dict[str, float]]],
) -> None:
    asked, points = search
    for one in points:
        for other in points:
            pair = in_order(one, asked), in_order(other, asked)
            assert dominates(*pair) == beats(one, other, asked)


@given(searches())
def test_the_front_is_what_nothing_beats(
    search: tuple[list[Objective], list[dict[str, float]]],
) -> None:
    asked, points = search
    kept = front([in_order(point, asked) for point in points])
    alone = [
        i for i, p in enumerate(points) if not any(beats(other, p, asked) for other in points)
    ]
    assert kept == alone


def test_values_are_taken_by_name_and_turned() -> None:
    asked = [KNOWN["macro_f1"], KNOWN["calibration_error"], KNOWN["macs"]]
    values = {"macs": 100.0, "macro_f1": 0.5, "accuracy": 0.9, "calibration_error": 0.25}
    assert in_order(values, asked) == (-0.5, 0.25, 100.0)
    assert minimised([0.5, 0.25, 100.0], asked) == (-0.5, 0.25, 100.0)


def test_every_one_says_what_it_is_in_a_sentence() -> None:
    for name, one in KNOWN.items():
        assert one.name == name and one.about
        assert one.direction == ("maximize" if one.maximised else "minimize")
        assert (one.worst is not None) == one.scored
        assert not (one.maximised and not one.scored), "a cost is the better the smaller"


def test_what_a_result_is_to_tell_beyond_its_accuracy() -> None:
    asked = (KNOWN["accuracy"], KNOWN["macro_f1"], KNOWN["macs"], OWN)
    assert beyond_accuracy(asked) == (KNOWN["macro_f1"], OWN)
    assert beyond_accuracy((KNOWN["accuracy"], KNOWN["latency_ms"])) == ()

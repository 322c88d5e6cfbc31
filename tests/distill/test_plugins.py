"""Methods of other packages: found by their entry points, or left aside with the reason."""

from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from kdsearch.distill import METHODS, plugins
from kdsearch.distill.hard import Hard
from kdsearch.distill.plugins import GROUP, plugged_in, shortcoming

Found = tuple[Mapping[str, type], Mapping[str, str]]
Discover = Callable[..., Found]

THEIRS = """
from kdsearch.core.space import Space
from kdsearch.distill.method import Needs


class Theirs:
    name = "theirs"
    knobs = Space({})
    options = Space({})
    needs = Needs()


class Others(Theirs):
    name = "others"


class Spaceless(Theirs):
    name = "spaceless"
    knobs = {}


class Needless(Theirs):
    name = "needless"
    needs = "logits"


class Failing(Theirs):
    name = "failing"

    def __init__(self):
        raise ValueError("a first line" + chr(10) + "and a second")


class Soften(Theirs):
    name = "soften"
"""


@pytest.fixture
def discover(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Sequence[tuple[str, str]]], Found]:
    """What is found where these entry points are installed: names and objects."""
    (tmp_path / "their_methods.py").write_text(THEIRS)
    (tmp_path / "their_ruin.py").write_text("import no_such_package\n")
    monkeypatch.syspath_prepend(tmp_path)

    def found(points: Sequence[tuple[str, str]]) -> Found:
        installed = [EntryPoint(name, value, GROUP) for name, value in points]
        asked: list[str] = []
        monkeypatch.setattr(
            plugins, "entry_points", lambda group: (asked.append(group), installed)[1]
        )
        result = plugged_in(METHODS)
        assert asked == [GROUP] == ["kdsearch.methods"]
        return result

    return found


def test_a_method_of_another_package_is_found(discover: Discover) -> None:
    methods, broken = discover([("theirs", "their_methods:Theirs")])
    assert methods["theirs"].name == "theirs" and not broken


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("ruin", "their_ruin:Ruin", "ModuleNotFoundError: No module named 'no_such_package'"),
        ("gone", "their_methods:Gone", "AttributeError: "),
        ("spaceless", "their_methods:Spaceless", "TypeError: it has no knobs"),
        ("needless", "their_methods:Needless", "TypeError: its needs are no "),
        ("failing", "their_methods:Failing", "ValueError: a first line"),
        ("other", "their_methods:Theirs", "TypeError: its name is 'theirs'; it must be"),
        ("soften", "their_methods:Soften", "ValueError: kdsearch has a method 'soften'"),
    ],
)
def test_a_broken_one_is_listed_with_its_reason_and_stops_no_other(
    discover: Discover, name: str, value: str, reason: str
) -> None:
    points = [("theirs", "their_methods:Theirs"), (name, value)]
    for order in (points, points[::-1]):
        methods, broken = discover([*order, ("others", "their_methods:Others")])
        assert set(methods) == {"theirs", "others"}
        assert set(broken) == {name}
        assert broken[name].startswith(f"package ?: {reason}")
        assert "\n" not in broken[name]


def test_two_packages_with_the_same_name(discover: Discover) -> None:
    """The first one found stays; the other says why it is not there."""
    methods, broken = discover(
        [("theirs", "their_methods:Theirs"), ("theirs", "their_methods:Others")]
    )
    assert methods["theirs"].__name__ == "Theirs"
    assert "another package has a method 'theirs', too; rename one" in broken["theirs"]


@pytest.mark.parametrize("name", METHODS)
def test_no_method_of_the_table_falls_short(name: str) -> None:
    assert shortcoming(METHODS[name], name) is None


def test_any_name_will_do_where_none_is_asked_for() -> None:
    assert shortcoming(Hard) is None
    assert "must be 'other'" in str(shortcoming(Hard, "other"))

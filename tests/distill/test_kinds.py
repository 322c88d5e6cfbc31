"""What a config may name as a method: of the table, a sum, or a class of the user's own."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from kdsearch.core.records import Recipe
from kdsearch.core.space import Choice, Range, Space
from kdsearch.distill import METHODS, kinds
from kdsearch.distill.combined import WEIGHT, Combined
from kdsearch.distill.kinds import asks_for_teacher, kind, method_of
from kdsearch.distill.soften import Soften
from kdsearch.errors import UserError

OWN = '''
from kdsearch.core.space import Choice, Range, Space
from kdsearch.distill.method import Needs
from kdsearch.losses.softened import softened_kl


class Own:
    """Imitation alone.

    And more.
    """

    name = "own"
    knobs = Space({"temperature": Range(1.0, 9.0)})
    options = Space({"labels": Choice((False, True))})
    needs = Needs(teacher=("logits",))

    def __init__(self, temperature=2.0, labels=False):
        self.temperature = temperature

    def __call__(self, seen):
        return softened_kl(seen.logits, seen.teacher_logits, self.temperature)


class Nameless:
    pass


class Spaceless:
    name = "spaceless"
    knobs = Space({})


class Needless(Spaceless):
    options = Space({})
    needs = None


class Failing(Needless):
    def __init__(self):
        raise RuntimeError("no such thing" + chr(10) + "as this")


def function(seen):
    return 0
'''


@pytest.fixture(scope="module")
def own(plugins: Path) -> str:
    (plugins / "own_methods.py").write_text(OWN)
    return "module:own_methods:Own"


@pytest.mark.parametrize("name", METHODS)
def test_every_method_of_the_table_by_its_name(name: str) -> None:
    found, method = kind(name), METHODS[name]
    assert (found.name, found.make, found.knobs) == (name, method, method.knobs)
    assert set(found.allowed.axes) == {*method.knobs.axes, *method.options.axes}


def test_unknown_names_are_answered_with_the_nearest() -> None:
    with pytest.raises(UserError, match="unknown method 'softn'; did you mean 'soften'?"):
        kind("softn")
    with pytest.raises(UserError, match="unknown method 'softn'; did you mean 'soften'?"):
        kind("hard+softn")
    with pytest.raises(UserError, match="unknown method ''"):
        kind("hard+")


def test_a_broken_package_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "BROKEN", {"theirs": "package x: ImportError: y"})
    with pytest.raises(UserError, match="'theirs' cannot be loaded: package x: ImportError: y"):
        kind("theirs")


def test_a_sum_has_the_knobs_of_all_and_their_weights() -> None:
    found = kind("hard + soften")
    assert found.name == "hard+soften" and found.about == "losses added: hard, soften"
    assert found.knobs.axes == {
        "soften.temperature": Soften.knobs.axes["temperature"],
        "soften.weight": Soften.knobs.axes["weight"],
        "weight.hard": WEIGHT,
        "weight.soften": WEIGHT,
    }
    made = found.make(**{"soften.temperature": 2.0, "weight.soften": 3.0})
    assert isinstance(made, Combined) and made.weights == {"hard": 1.0, "soften": 3.0}
    assert made.methods["soften"].temperature == 2.0


def test_a_method_is_not_added_to_itself() -> None:
    with pytest.raises(UserError, match=r"soften\+soften: a method is added to itself"):
        kind("soften+soften")


@pytest.mark.parametrize(
    "name", [n for n, m in METHODS.items() if m().needs.online or m().needs.auxiliary]
)
def test_who_brings_a_network_of_its_own_is_not_added(name: str) -> None:
    with pytest.raises(UserError, match=f"{name} .*so it cannot be added"):
        kind(f"hard+{name}").make()


def test_a_class_of_the_users_own(own: str) -> None:
    found = kind(own)
    assert (found.name, found.about) == (own, "Imitation alone.")
    assert found.knobs.axes == {"temperature": Range(1.0, 9.0)}
    assert found.options.axes == {"labels": Choice((False, True))}
    assert found.make(temperature=4.0).temperature == 4.0


@pytest.mark.parametrize("place", [0, 1])
def test_a_class_of_the_users_own_in_a_sum(own: str, place: int) -> None:
    names = ["hard"]
    names.insert(place, own)
    found = kind("+".join(names))
    assert set(found.knobs.axes) == {f"{own}.temperature", f"weight.{own}", "weight.hard"}
    made = found.make(**{f"{own}.temperature": 3.0, f"weight.{own}": 0.5})
    assert made.methods[own].temperature == 3.0
    assert made.weights == {own: 0.5, "hard": 1.0}
    assert made.needs.teacher == ("logits",)


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("Nameless", "it has no name"),
        ("function", "it has no knobs|it has no name"),
        ("Spaceless", "it has no options: a kdsearch.core.space.Space"),
        ("Needless", "its needs are no kdsearch.distill.method.Needs"),
        ("Failing", "RuntimeError: no such thing$"),
        ("Owm", "no function 'Owm' in module 'own_methods'; did you mean 'Own'"),
    ],
)
def test_what_is_no_method_is_refused_in_one_line(own: str, what: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as raised:
        kind(f"module:own_methods:{what}")
    assert "\n" not in str(raised.value)


def test_a_recipe_is_a_method_with_its_knobs(own: str) -> None:
    assert method_of(Recipe.of("soften", {"temperature": 3.0})).temperature == 3.0
    assert method_of(Recipe.of(own, {})).temperature == 2.0
    added = method_of(Recipe.of("hard+soften", {"weight.hard": 2.0}))
    assert isinstance(added, Combined) and added.weights["hard"] == 2.0


@pytest.mark.parametrize(
    ("name", "axes", "asks"),
    [
        ("hard", {}, False),
        ("soften", {}, True),
        ("hard+soften", {}, True),
        ("evolutionary", {}, False),
        ("evolutionary", {"init": Choice(("scratch", "pretrained"))}, True),
        ("evolutionary", {"init": Choice(("scratch",))}, False),
    ],
)
def test_a_teacher_is_asked_for_where_some_value_needs_one(
    name: str, axes: Mapping[str, Choice], asks: bool
) -> None:
    assert asks_for_teacher(kind(name), Space(axes)) == asks

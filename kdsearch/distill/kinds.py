"""What a config may name as a method: one of the table, several joined by '+', or a class."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from kdsearch.core.records import Recipe
from kdsearch.core.space import Axis, Choice, Range, Space, Value, written
from kdsearch.core.widening import widens, wider
from kdsearch.distill import BROKEN, METHODS, OURS
from kdsearch.distill.combined import PLUS, Combined, combined_space, weight_space
from kdsearch.distill.method import Method, Needs
from kdsearch.distill.plugins import shortcoming
from kdsearch.errors import UserError, did_you_mean
from kdsearch.factory import find_factory, source_of

MODULE = "module:"


class Kind(NamedTuple):
    """A method by name: what a search may vary of it, and how it is made."""

    name: str
    knobs: Space
    options: Space
    make: Callable[..., Method]
    about: str

    @property
    def allowed(self) -> Space:
        """Knobs and options: all that a config may set."""
        return Space({**self.options.axes, **self.knobs.axes})


def kind(name: str) -> Kind:
    """The method of a name.

    Raises:
        UserError: there is none, it cannot be loaded, or methods that cannot be added.
    """
    if PLUS in name:
        return sum_of([kind(part.strip()) for part in name.split(PLUS)])
    method = METHODS.get(name) or brought(name)
    about = (method.__doc__ or "").strip().partition("\n")[0]
    return Kind(name, method.knobs, method.options, method, about)


def written_elsewhere(name: str) -> list[str]:
    """Texts of the files in which a name's methods stand, of those that are not ours: what
    they make is another result when they change.
    """
    if PLUS in name:
        return [text for part in name.split(PLUS) for text in written_elsewhere(part.strip())]
    if name in OURS:
        return []
    if name.startswith(MODULE):
        return [source_of(name.removeprefix(MODULE))]
    method = METHODS[name]
    return [source_of(f"{method.__module__}:{method.__qualname__}")]


def brought(name: str) -> type[Method]:
    """A method of the user's own file."""
    if name in BROKEN:
        raise UserError(f"method '{name}' cannot be loaded: {BROKEN[name]}")
    if not name.startswith(MODULE):
        raise UserError(f"unknown method '{name}'; {did_you_mean(name, METHODS)}")
    found = find_factory(name.removeprefix(MODULE))
    try:
        wrong = shortcoming(found)  # type: ignore[arg-type]
    except Exception as error:
        wrong = f"{type(error).__name__}: {error}".partition("\n")[0]
    if wrong:
        raise UserError(f"method {name}: {wrong}")
    return found  # type: ignore[return-value]


def sum_of(kinds: list[Kind]) -> Kind:
    names = [k.name for k in kinds]
    if len(set(names)) < len(names):
        raise UserError(f"{PLUS.join(names)}: a method is added to itself; name each once")
    makers = {k.name: k.make for k in kinds}

    def make(**knobs: Value) -> Method:
        return Combined(makers, knobs)  # type: ignore[return-value]

    knobs = combined_space({k.name: k.knobs for k in kinds})
    return Kind(
        PLUS.join(names),
        Space({**knobs.axes, **weight_space(names).axes}),
        combined_space({k.name: k.options for k in kinds}),
        make,
        "losses added: " + ", ".join(names),
    )


def asks_for_teacher(kind: Kind, space: Space) -> bool:
    """Whether some value of a space of its knobs makes the method need a trained teacher."""
    return any(needs.teacher for needs in possible_needs(kind, space))


def learns_from_network(name: str, space: Space) -> bool:
    """Whether it matters to the method which network the teacher is, trained already or not."""
    asked = possible_needs(kind(name), space)
    return any(needs.teacher or needs.online is not None for needs in asked)


def brings_up(name: str, space: Space) -> bool:
    """Whether the method may train a teacher of its own beside the student."""
    return any(needs.online is not None for needs in possible_needs(kind(name), space))


def ships_more(name: str, space: Space) -> bool:
    """Whether the network that ships is another than the student."""
    return any(needs.deploy is not None for needs in possible_needs(kind(name), space))


def possible_needs(kind: Kind, space: Space) -> list[Needs]:
    """The needs at the defaults, changed by one value at a time."""
    choices = [
        {name: value}
        for name, axis in space.axes.items()
        if isinstance(axis, Choice)
        for value in axis.values
    ]
    return [kind.make(**knobs).needs for knobs in [{}, *choices]]


def refused_value(kind: Kind, knob: str, value: Value) -> str | None:
    """Why a method cannot have this value: 'allowed: 1 to 10, or any number above 0'.

    None where it can: the value is its own, or a wider one (core/widening.py) that it can be
    made with.
    """
    axis = kind.allowed.axes[knob]
    if axis.holds(value):
        return None
    if not widens(axis, value):
        return f"allowed: {allowed_words(axis)}"
    try:
        kind.make(**{knob: value})
    except Exception:
        return f"allowed: {axis}"  # numbers that each stand for something, as names do
    return None


def allowed_words(axis: Axis) -> str:
    more = wider(axis)
    return str(axis) if more is None else f"{axis}, or {more}"


def check_values(kind: Kind, given: Mapping[str, Value]) -> None:
    """Raises UserError for a knob or option the method does not have, or a value it cannot."""
    for knob, value in given.items():
        if knob not in kind.allowed.axes:
            hint = did_you_mean(knob, kind.allowed.axes)
            raise UserError(f"method '{kind.name}': unknown knob '{knob}'; {hint}")
        if wrong := refused_value(kind, knob, value):
            raise UserError(f"method '{kind.name}': {knob} = {written(value)}; {wrong}")


def method_of(recipe: Recipe) -> Method:
    """The method of a recipe, with its knobs' values; 2 is 2.0 where a range holds it."""
    found = kind(recipe.method)
    axes = found.allowed.axes
    knobs: Mapping[str, Value] = {
        name: float(value) if isinstance(axes.get(name), Range) else value
        for name, value in recipe.knobs
    }
    make: Callable[..., Method] = found.make
    return make(**knobs)

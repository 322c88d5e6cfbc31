"""What a person chooses from, as plain data: students, their numbers, and what may be bound.

The page's script draws it and answers queries on it in the page, by the rules of
`kdsearch query`; nothing in it is text for a person alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kdsearch.core.amounts import UNITS
from kdsearch.core.costs_named import cost_and_target
from kdsearch.core.quantities import plain_number

Values = Mapping[str, float]
"""By quantity."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """An axis to draw by and, unless `bound` is False, to bound."""

    name: str
    """As a bound names it: latency_ms@edge."""
    title: str
    unit: str
    """How an amount of it is written; see `unit`."""
    maximised: bool
    scored: bool
    own: bool = False
    """A function of the user's own: its values may be of any sign."""
    asked: bool = False
    """Whether the search compared by it."""
    bound: bool = True


@dataclass(frozen=True, slots=True)
class Candidate:
    """A student that may be chosen."""

    id: str
    values: Values
    guaranteed: Values
    """What a bound is held against: of a latency, the upper end of its interval."""
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Of 95 %, where one is known."""
    recipe: str = ""
    card: str = ""
    """Where on the page more is said of it: 'card-1'."""
    alike: tuple[str, ...] = ()
    """Students that its first score does not tell it apart from."""
    predicted: tuple[str, ...] = ()
    """The quantities that nobody measured; their intervals are of 90 %."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A trial, for the picture."""

    name: str
    state: str
    values: Values
    note: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """One run's candidates."""

    run: str
    command: str
    """The run's folder as a shell takes it."""
    leading: str
    """The quantity that students are ranked by."""
    quantities: tuple[Quantity, ...]
    candidates: tuple[Candidate, ...]
    largest: Values = field(default_factory=dict)
    """Of the space: what '60%' is a share of."""
    smallest: Values = field(default_factory=dict)
    trials: tuple[Tried, ...] = ()
    limits: Values = field(default_factory=dict)
    """The config's budget, as absolute numbers."""
    teacher: Values = field(default_factory=dict)
    knee: str | None = None
    published: bool = True
    """False while a search goes on: the candidates are its front so far."""


def unit(name: str) -> str:
    """What writes an amount of this quantity, on every target: 'milliseconds'."""
    return UNITS.get(cost_and_target(name)[0], plain_number).__name__

"""What a config says of a search's objectives: names, or mappings that say more."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Tag

from kdsearch.config.section import Section
from kdsearch.core.objectives import Objective, ours


class Directed(Section):
    """An objective with its direction: one of ours, or a function of your own."""

    direction: Literal["maximize", "minimize"]
    """maximize or minimize."""
    name: str | None = None
    """One of `kdsearch objectives`; of your own function: its name in tables and queries,
    null for the function's."""
    function: str | None = None
    """module:pkg.mod:function, which runs your code: it is given logits (images, classes) and
    labels of the search-validation images, and returns a number."""
    worst: float | None = None
    """Of your own function: the value from which on the hypervolume counts it; null leaves it
    out of the hypervolume."""

    @property
    def title(self) -> str | None:
        """The name, which a function may lend it."""
        if self.name is not None or self.function is None:
            return self.name
        return self.function.rpartition(":")[2]


def form(value: Any) -> str:
    return "directed" if isinstance(value, Mapping | Directed) else "name"


ObjectiveChoice = Annotated[
    Annotated[str, Tag("name")] | Annotated[Directed, Tag("directed")], Discriminator(form)
]


def objectives_of(chosen: Sequence[str | Directed]) -> tuple[Objective, ...]:
    """The objectives of a config that was checked."""
    return tuple(map(objective_of, chosen))


def objective_of(chosen: str | Directed) -> Objective:
    name = chosen if isinstance(chosen, str) else chosen.title
    assert name is not None, "a config that was checked"
    if isinstance(chosen, str) or chosen.function is None:
        known = ours(name)
        assert known is not None, "a config that was checked"
        return known
    return Objective(
        name,
        maximised=chosen.direction == "maximize",
        scored=True,
        about=chosen.function,
        worst=chosen.worst,
        function=chosen.function,
    )

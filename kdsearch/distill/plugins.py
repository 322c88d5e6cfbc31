"""Methods of other packages: entry points of the group `kdsearch.methods`."""

from collections.abc import Collection, Mapping
from importlib.metadata import EntryPoint, entry_points

from kdsearch.core.space import Space
from kdsearch.distill.method import Method, Needs

GROUP = "kdsearch.methods"


def plugged_in(taken: Collection[str]) -> tuple[Mapping[str, type[Method]], Mapping[str, str]]:
    """Methods by name, and for those that cannot be had the reason; none stops the others."""
    methods: dict[str, type[Method]] = {}
    broken: dict[str, str] = {}
    for point in entry_points(group=GROUP):
        try:
            methods[point.name] = loaded(point, taken, methods)
        except Exception as error:
            package = "?" if point.dist is None else point.dist.name
            reason = f"{type(error).__name__}: {error}".partition("\n")[0]
            broken[point.name] = f"package {package}: {reason}"
    return methods, broken


def loaded(point: EntryPoint, taken: Collection[str], theirs: Collection[str]) -> type[Method]:
    if point.name in taken:
        raise ValueError(f"kdsearch has a method '{point.name}' of its own; rename it")
    if point.name in theirs:
        raise ValueError(f"another package has a method '{point.name}', too; rename one")
    method = point.load()
    if wrong := shortcoming(method, point.name):
        raise TypeError(wrong)
    return method  # type: ignore[no-any-return]


def shortcoming(method: type[Method], name: str | None = None) -> str | None:
    """What a class lacks of a method, of this name if there is one, in one line."""
    own = getattr(method, "name", None)
    if not isinstance(own, str):
        return "it has no name: a string"
    if name is not None and own != name:
        return f"its name is {own!r}; it must be {name!r}"
    for space in ("knobs", "options"):
        if not isinstance(getattr(method, space, None), Space):
            return f"it has no {space}: a kdsearch.core.space.Space, empty where there are none"
    if not isinstance(method().needs, Needs):
        return "its needs are no kdsearch.distill.method.Needs"
    return None

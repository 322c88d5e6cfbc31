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
            methods[point.name] = loaded(point, taken)
        except Exception as error:
            package = "?" if point.dist is None else point.dist.name
            reason = f"{type(error).__name__}: {error}".partition("\n")[0]
            broken[point.name] = f"package {package}: {reason}"
    return methods, broken


def loaded(point: EntryPoint, taken: Collection[str]) -> type[Method]:
    method = point.load()
    if point.name in taken:
        raise ValueError(f"kdsearch has a method '{point.name}' of its own; rename it")
    if wrong := shortcoming(method, point.name):
        raise TypeError(wrong)
    return method  # type: ignore[no-any-return]


def shortcoming(method: type[Method], name: str) -> str | None:
    """What a class lacks of a method of this name, in one line."""
    if getattr(method, "name", None) != name:
        return f"its name is {getattr(method, 'name', None)!r}; it must be {name!r}"
    for space in ("knobs", "options"):
        if not isinstance(getattr(method, space, None), Space):
            return f"it has no {space}: a kdsearch.core.space.Space, empty where there are none"
    if not isinstance(method().needs, Needs):
        return "its needs are no kdsearch.distill.method.Needs"
    return None

"""Verbs `methods`, `spaces`, `families`, …: what a config may name."""

from collections.abc import Callable
from inspect import cleandoc, getdoc
from typing import Any

Rows = list[dict[str, Any]]


def methods() -> Rows:
    from kdsearch.distill import BROKEN, METHODS

    rows: Rows = [
        {
            "name": name,
            "about": first_line(method),
            "teacher": teacher_of(method().needs),
            "knobs": {knob: str(axis) for knob, axis in method.knobs.axes.items()},
            "options": {option: str(axis) for option, axis in method.options.axes.items()},
        }
        for name, method in METHODS.items()
    ]
    return rows + [
        {"name": n, "about": f"cannot be loaded: {why}"} for n, why in BROKEN.items()
    ]


def teacher_of(needs: Any) -> str:
    if needs.teacher:
        return "needed"
    return "not needed" if needs.online is None else "its own"


def spaces() -> Rows:
    from kdsearch.spaces import list_spaces, load_space

    found = [load_space(name) for name in list_spaces()]
    return [
        {
            "name": s.name,
            "family": s.family,
            "students": s.count,
            "params": list(s.params or ()),
            "pixels": [s.min_size, s.max_size],
            "about": s.description,
        }
        for s in found
    ]


def families() -> Rows:
    from kdsearch.nets import FAMILIES

    return [{"name": n, "about": first_line(type(f))} for n, f in FAMILIES.items()]


def teachers() -> Rows:
    from kdsearch.teachers import SOURCES, TEACHERS

    trained = [
        {"name": n, "key": "teacher.training", "about": told(f)} for n, f in TEACHERS.items()
    ]
    brought = [
        {"name": f"{n}:NAME", "key": "teacher.network", "about": first_line(f)}
        for n, f in SOURCES.items()
    ]
    kept = "The teacher of another run, from its folder: runs/a/teacher."
    checkpoint = {"name": "checkpoint:FOLDER", "key": "teacher.network", "about": kept}
    return [*trained, *brought, checkpoint]


def datasets() -> Rows:
    from kdsearch.data import DATASETS

    return [{"name": d.usage, "about": first_line(type(d))} for d in DATASETS.values()]


def objectives() -> Rows:
    from kdsearch.core.objectives import KNOWN

    rows: Rows = [
        {
            "name": one.name,
            "direction": one.direction,
            "kind": "score" if one.scored else "cost",
            "about": one.about,
        }
        for one in KNOWN.values()
    ]
    at = "latency_ms@TARGET"
    there = "a latency on a further target of the config, by its name; so p95 and p99"
    further = {"name": at, "direction": "minimize", "kind": "cost", "about": there}
    own = "a function of your own, on logits and labels (runs your code)"
    form = "{function: module:pkg.mod:function, direction: maximize}"
    return [*rows, further, {"name": form, "direction": "yours", "kind": "score", "about": own}]


def samplers() -> Rows:
    from kdsearch.search.study.samplers import SAMPLERS

    return [{"name": name, "about": one.about} for name, one in SAMPLERS.items()]


def engines() -> Rows:
    from kdsearch.engines import ENGINES

    return [{"name": n, "about": first_module_line(e)} for n, e in ENGINES.items()]


def runtimes() -> Rows:
    from kdsearch.runtimes import RUNTIMES
    from kdsearch.runtimes.runtime import Calling

    return [
        {
            "name": name,
            "version": "–" if lacking else runtime.version(),
            "about": lacking or first_module_line(type(runtime)),
        }
        for name, runtime in RUNTIMES.items()
        for lacking in [runtime.lacks(Calling())]
    ]


def formats() -> Rows:
    from kdsearch.export import FORMATS

    return [{"name": n, "about": first_module_line(type(f))} for n, f in FORMATS.items()]


def first_line(thing: Any) -> str:
    return cleandoc(getdoc(thing) or "").partition("\n")[0]


def told(function: Any) -> str:
    """Its own first line, or its file's where it only points elsewhere."""
    own = first_line(function)
    return first_module_line(function) if own.startswith("See ") else own


def first_module_line(function: Any) -> str:
    """What the file says of itself in which a function or class stands."""
    import sys

    return first_line(sys.modules[function.__module__])


LISTINGS: dict[str, Callable[[], Rows]] = {
    f.__name__: f
    for f in (
        methods,
        spaces,
        families,
        teachers,
        datasets,
        objectives,
        samplers,
        engines,
        runtimes,
        formats,
    )
}

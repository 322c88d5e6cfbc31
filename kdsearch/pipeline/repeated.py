"""Whether a student's latencies would keep their bounds in one more measurement."""

from collections.abc import Mapping, Sequence
from typing import Any

from kdsearch.core.bounds_confidence import Known
from kdsearch.core.bounds_repeated import next_at_most, spread
from kdsearch.core.budget import Bound, resolve
from kdsearch.core.records import Architecture
from kdsearch.pipeline.candidates import latencies
from kdsearch.pipeline.evidence import evidence
from kdsearch.pipeline.refusal import Miss
from kdsearch.rundir import RunDir

Facts = Mapping[str, Known]
Front = Mapping[str, Any]


def unsteady(
    run: RunDir, front: Front, row: Mapping[str, Any], again: Facts, bounds: Sequence[Bound]
) -> tuple[Miss, ...]:
    """The bounds that a further measurement may break, though this one kept them.

    How far measurements of one network lie apart is seen on the front: each student on it was
    measured when the search proposed it, and again when it was published.

    Args:
        again: what was measured now.
        bounds: on latencies.
    """
    twice = [(searched(run, front, p), evidence(p)) for p in front["points"]]
    known = (searched(run, front, row), evidence(row), again)
    found = []
    for bound in bounds:
        name, limit = bound.name, resolve(bound, front["space"]["largest"])
        pairs = [(a[name].value, b[name].value) for a, b in twice if name in a and name in b]
        values = [facts[name].value for facts in known if name in facts]
        value = next_at_most(values, spread(pairs))
        if value > limit:
            found.append(Miss(bound, limit, value))
    return tuple(found)


def searched(run: RunDir, front: Front, point: Mapping[str, Any]) -> Facts:
    """What was measured of it when the search proposed it; nothing where it was not."""
    student = Architecture.of(point["architecture"]).id
    return evidence({"latency": latencies(run, front, student)})

"""What shapes the config's teacher for its students, and which of it names the result."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from kdsearch.config.shaping_checks import BRANCHED, SHAPING
from kdsearch.core.records import Architecture
from kdsearch.core.space import Space, Value
from kdsearch.pipeline.context import Context
from kdsearch.teachers.conditioning import Conditioning
from kdsearch.teachers.learning import Learning
from kdsearch.teachers.training import Pool, Shaping


def shaping_of(context: Context) -> Shaping:
    teacher, space = context.config.teacher, context.space
    return Shaping(
        Pool(
            space.family,
            space.space,
            named(teacher.student, space.space),
            tuple(map(Architecture.of, teacher.held_out)),
        ),
        Conditioning(**teacher.conditioning.model_dump()),
        Learning(**teacher.distribution.model_dump()),
        teacher.lipschitz,
        teacher.consistency,
    )


def named(student: str | Mapping[str, Value], space: Space) -> Architecture:
    if isinstance(student, Mapping):
        return Architecture.of(student)
    ends = {"smallest": space.smallest, "largest": space.largest}
    return Architecture.of(ends[student]())


def shaping_key(training: str, shaping: Shaping) -> dict[str, Any]:
    """What a teacher of this training depends on; nothing for one that knows no students."""
    pool = shaping.pool
    assert pool is not None and pool.student is not None
    content: dict[str, Any] = {
        "student": pool.student.as_dict(),
        "conditioning": asdict(shaping.conditioning),
        "distribution": asdict(shaping.distribution),
        "held_out": [a.as_dict() for a in sorted(set(pool.held_out))],
        "lipschitz": shaping.lipschitz,
        "consistency": shaping.consistency,
    }
    key = {name: content[name] for name, ways in SHAPING.items() if training in ways}
    if not pool.held_out:
        key.pop("held_out", None)
    if training in BRANCHED:
        key["family"] = pool.family
        key["space"] = {name: list(values) for name, values in pool.space.choices().items()}
    return key

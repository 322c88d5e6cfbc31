"""Whether a teacher's way of training has a use for the keys that shape it."""

from collections.abc import Iterator, Mapping, Sequence

from kdsearch.config.models import Config
from kdsearch.config.networks import Teacher
from kdsearch.config.problem import Problem, not_of_space

BRANCHED = ("student_friendly", "generic")
SHAPING: Mapping[str, Sequence[str]] = {
    "student": ("student_friendly",),
    "conditioning": BRANCHED,
    "distribution": ("generic",),
    "held_out": ("generic",),
    "lipschitz": ("student_oriented", *BRANCHED),
    "consistency": ("student_oriented", *BRANCHED),
}
"""Which ways of training a teacher look at a key."""


def shaping(config: Config) -> Iterator[Problem]:
    it, usual = config.teacher, Teacher()
    for key, ways in SHAPING.items():
        if it.training not in ways and getattr(it, key) != getattr(usual, key):
            yield ("teacher", key), f"is for teacher.training: {' or '.join(ways)}; remove this"
    if it.distribution.loss != "target_cost":
        for key in ("target", "strictness"):
            if getattr(it.distribution, key) != getattr(usual.distribution, key):
                rule = "is for loss: target_cost; remove this"
                yield ("teacher", "distribution", key), rule
    yield from not_of_space(config, ("teacher", "student"), it.student)
    for i, student in enumerate(it.held_out):
        yield from not_of_space(config, ("teacher", "held_out", i), student)

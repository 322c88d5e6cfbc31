"""Whether the teachers beside the first can be told apart, and each of them teach."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeAlias

from kdsearch.config.models import Config
from kdsearch.config.networks import Teacher
from kdsearch.config.problem import Problem, refused
from kdsearch.config.vary import taught_methods
from kdsearch.search.pool import TEACHER
from kdsearch.spaces.marked import Keys

Check: TypeAlias = Callable[[Config], Iterator[Problem]]


def teachers(config: Config) -> Iterator[Problem]:
    if not config.teachers:
        return
    if is_nobody(config.teacher):
        rule = (
            "teacher is the first, and there is none (teacher.training: none); name one there"
        )
        yield ("teachers",), rule
    if not refused(partial(taught_methods, config)) and not taught_methods(config):
        yield (
            ("teachers",),
            ("no method of distill.methods learns from a teacher; add one, or remove this"),
        )
    if config.distill.bank:
        rule = "stores what one teacher says; set bank: 0, or remove teachers"
        yield ("distill", "bank"), rule
    for name, section in config.teachers.items():
        yield from further(("teachers", name), name, section)


def further(here: Keys, name: str, section: Teacher) -> Iterator[Problem]:
    if not name.isidentifier():
        yield here, "a teacher's name is made of letters, digits and _, no digit first"
    elif name == TEACHER:
        yield here, "is the first one's name; call this one otherwise"
    elif is_nobody(section):
        yield here, "is no teacher (training: none); set training: plain, or remove this"
    elif section.network == "object":
        yield (*here, "network"), "only the first can be passed in Python; name a source"


def is_nobody(it: Teacher) -> bool:
    return it.training == "none" and it.network == "family"


def each_further(checks: Sequence[Check]) -> Check:
    """Checks of a config's teacher, done to each of the others in its place."""

    def each(config: Config) -> Iterator[Problem]:
        for name, section in config.teachers.items():
            alike = config.model_copy(update={TEACHER: section, "teachers": {}})
            for check in checks:
                for path, rule in check(alike):
                    if path[0] == TEACHER:
                        own = rule.replace(f"{TEACHER}.", f"teachers.{name}.")
                        yield ("teachers", name, *path[1:]), own

    return each

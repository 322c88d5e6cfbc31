"""Which students `compare-teachers` compares: so many drawn ones, or those of a YAML file.

A file has the lists `students` and `held_out`, each of [{stage1.width: 16, …}, …]; teachers
that draw students never draw those of `held_out`, the others they may.
"""

from collections.abc import Mapping
from pathlib import Path

from kdsearch.core.records import Architecture
from kdsearch.core.space import Space
from kdsearch.errors import UserError, did_you_mean
from kdsearch.search.teachers import Chosen, chosen
from kdsearch.spaces.marked import Document, read_file

LISTS = ("students", "held_out")


def pupils(asked: str, space: Space, seed: int) -> Chosen:
    """Raises UserError for what is neither a number nor a file of the space's students."""
    if asked.lstrip("+-").isdigit():
        return chosen(space, int(asked), seed)
    if not Path(asked).is_file():
        raise UserError(f"--students {asked}: neither a number nor a YAML file that is there")
    return listed(read_file(Path(asked)), space)


def listed(document: Document, space: Space) -> Chosen:
    for key in document.content:
        if key not in LISTS:
            raise document.error((key,), f"unknown key; {did_you_mean(key, LISTS)}", key=True)
    students, held_out = (read(document, key, space) for key in LISTS)
    if not students and not held_out:
        raise document.error((), "needs 'students' or 'held_out': [{stage1.width: 16, …}, …]")
    everyone = [*students, *held_out]
    if len(set(everyone)) < len(everyone):
        raise document.error((), "names a student twice; remove one")
    return Chosen(tuple(everyone), tuple(held_out))


def read(document: Document, key: str, space: Space) -> list[Architecture]:
    value = document.content.get(key, ())
    if not isinstance(value, tuple):
        raise document.error((key,), "must be a list of students")
    for at, point in enumerate(value):
        if not isinstance(point, Mapping):
            raise document.error((key, at), "must be a student: {stage1.width: 16, …}")
        try:
            space.check(point)
        except UserError as error:
            raise document.error((key, at), str(error)) from error
    return [Architecture.of(point) for point in value]

"""Stage `teacher`, of the teachers beside the first: each as the config's only one would be."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from kdsearch.data.records import DataInfo
from kdsearch.errors import TeacherError
from kdsearch.pipeline.context import Context
from kdsearch.pipeline.teacher import taught


def each_teacher(context: Context) -> Iterator[Context]:
    """The context with every teacher of the config in the place of its only one."""
    yield context
    for name in context.config.teachers:
        yield instead(context, name)


def instead(context: Context, name: str) -> Context:
    """The context with this teacher in the place of the first; none is a Python object."""
    section = context.config.teachers[name]
    config = context.config.model_copy(update={"teacher": section, "teachers": {}})
    return replace(context, config=config, given=None)


def further_teachers(context: Context, data: Path, info: DataInfo) -> dict[str, Path]:
    """Their folders by name; trained where that was not done. Links and notes them.

    Raises:
        TeacherError: names the teacher that cannot teach here.
    """
    found: dict[str, Path] = {}
    for name in context.config.teachers:
        try:
            folder = taught(instead(context, name), data, info, called=f"teacher {name}")
        except TeacherError as error:
            raise TeacherError(f"teachers.{name}: {error}") from error
        assert folder is not None, "a config names none that is nobody"
        context.run.link(link_of(name), folder)
        found[name] = folder
    for link in context.run.root.glob(link_of("*")):
        if link.is_symlink() and link.name not in map(link_of, found):
            link.unlink()  # of a teacher that the config names no more
    context.run.note(teachers={name: str(f.resolve()) for name, f in found.items()})
    return found


def link_of(name: str) -> str:
    return f"teacher-{name}"

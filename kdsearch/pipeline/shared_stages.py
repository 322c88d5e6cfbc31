"""Which cells of a batch share data, teacher and supernet, told from their configs alone.

Equal parts of the configs make equal stages. Unequal ones may still come to the same result
(a folder of images by another name), which the store finds out; so this is an upper bound on
what will be trained.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kdsearch.config import Config
from kdsearch.config.cells import Cell
from kdsearch.core.quantities import several
from kdsearch.files import content_hash
from kdsearch.pipeline.table import table
from kdsearch.spaces import load_space

STAGES = ("data", "teacher", "supernet")
KNOWS_NO_STUDENTS = ("plain", "student_oriented", "none")
"""Trainings that ask of the space no more than its largest student."""


def shared_stages(cells: Sequence[Cell]) -> dict[str, dict[str, int | None]]:
    """By cell and stage: a number that cells which share the result have in common, from 1;
    None where there is no such stage.
    """
    numbers: dict[str, dict[str, int]] = {stage: {} for stage in STAGES}
    found = {}
    for cell in cells:
        made = {"data": data(cell.config), "teacher": teacher(cell.config)}
        made["supernet"] = supernet(cell.config)
        found[cell.name] = {
            stage: None if part is None else numbered(numbers[stage], content_hash(part))
            for stage, part in made.items()
        }
    return found


def numbered(known: dict[str, int], name: str) -> int:
    return known.setdefault(name, len(known) + 1)


def data(config: Config) -> Any:
    dump = config.data.model_dump(mode="json")
    dump.pop("augment")  # of training, not of what is stored
    return [dump, config.seed]


def common(config: Config) -> list[Any]:
    """What every training depends on."""
    rest = [config.data.augment, config.device, config.precision, config.processes]
    return [data(config), rest, config.store]


def teacher(config: Config) -> Any:
    it = config.teacher
    if it.training == "none" and it.network == "family":
        return None
    space = load_space(config.space)
    asks: list[Any] = [space.family]
    if it.training not in KNOWS_NO_STUDENTS:
        asks.append(space.space.choices())
    if it.network == "family":
        asks.append(space.space.largest())
    return [common(config), it.model_dump(mode="json"), asks]


def supernet(config: Config) -> Any:
    space = load_space(config.space)
    own = config.supernet.model_dump(mode="json")
    return [common(config), teacher(config), own, space.family, space.space.choices()]


def listing(cells: Sequence[Cell]) -> dict[str, Any]:
    """What `--list` says, as plain data."""
    shared = shared_stages(cells)
    rows = [
        {"name": cell.name, "choices": dict(cell.choices), **shared[cell.name]}
        for cell in cells
    ]
    kinds = {stage: {row[stage] for row in rows} - {None} for stage in STAGES}
    return {"cells": rows, "stages": {stage: len(kind) for stage, kind in kinds.items()}}


def listing_words(content: Mapping[str, Any]) -> str:
    rows = [
        [row["name"], *("none" if row[s] is None else str(row[s]) for s in STAGES)]
        for row in content["cells"]
    ]
    made = content["stages"]
    lines = [
        table(rows, ("cell", *STAGES)),
        f"{several(len(rows), 'cell')}; equal numbers are one result, built once and shared: "
        f"at most {several(made['data'], 'data set')}, {several(made['teacher'], 'teacher')}, "
        f"{several(made['supernet'], 'supernet')}",
    ]
    return "\n".join(lines)

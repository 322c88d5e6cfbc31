"""What can refuse a delivery, looked at before anything is trained or measured for it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kdsearch.config import Config
from kdsearch.config.checks import OBJECT
from kdsearch.config.targets import names_of
from kdsearch.errors import UserError
from kdsearch.export.handover import Order, check_folder, checked
from kdsearch.pipeline.place import check_place
from kdsearch.pipeline.students import described
from kdsearch.rundir import RunDir

Front = Mapping[str, Any]


def check_teacher(run: RunDir, config: Config) -> None:
    if config.teacher.network == OBJECT:
        raise UserError(
            f"{run.root}: its teacher was passed in Python and is not there any more; name it "
            "as teacher.network: module:pkg.mod:factory"
        )


def check_targets(run: RunDir, config: Config, front: Front) -> None:
    """The config's come first on the front, too; one measured elsewhere since may follow.

    Bounds have their names from the front, and measurements from the config.
    """
    ours = list(names_of(config))
    theirs = next((list(p["latency"]) for p in front["points"]), ours)
    if theirs[: len(ours)] != ours:
        raise UserError(
            f"{run.root}: its config's targets are {listed(ours)}, those of its front "
            f"{listed(theirs)}; run `kdsearch run {run.config} --out {run.root}` first"
        )


def check_files(run: RunDir, front: Front, to: Path, order: Order) -> None:
    """All students of a run are of one family: what one can be written as, the others can."""
    check_place(to)
    for student in [point["id"] for point in front["points"]][:1]:
        check_folder(to, checked(order, described(run, student)["spec"]))


def listed(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)

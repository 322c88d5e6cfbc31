"""The Python API: the verbs of the command line as functions, for scripts and notebooks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from torch import nn

from kdsearch.config import parse_config, read_config
from kdsearch.config.checks import OBJECT
from kdsearch.core.budget import Bound
from kdsearch.core.progress import Progress, Silent
from kdsearch.export.handover import UNKNOWN
from kdsearch.pipeline import query as querying
from kdsearch.pipeline import students
from kdsearch.pipeline.last_error import error_kept
from kdsearch.pipeline.run import run as run_stages
from kdsearch.pipeline.status import status
from kdsearch.pipeline.trials import trial_rows
from kdsearch.rundir import RunDir


@dataclass(frozen=True, slots=True)
class Run:
    """A run on disk, finished or not."""

    dir: RunDir

    @property
    def front(self) -> list[dict[str, Any]]:
        """The published students, fastest first: the points of front.json."""
        points: list[dict[str, Any]] = self.dir.read(self.dir.front, "points")["points"]
        return points

    @property
    def trials(self) -> list[dict[str, Any]]:
        """Every trial, in the order they were proposed."""
        return trial_rows(self.dir)

    @property
    def status(self) -> dict[str, Any]:
        """What is done, running, failed and why."""
        return status(self.dir)

    def query(
        self,
        *,
        min_accuracy: float | None = None,
        at_least: Mapping[str, float] = MappingProxyType({}),
        **at_most: float | str,
    ) -> str:
        """Id of the best student within the bounds: `query(latency_ms="50%")`.

        Best is the most accurate, or as the first objective of the run has it. Scores other
        than the accuracy are bound from below by `at_least={"macro_f1": 0.9}`.

        Raises:
            BudgetError: no student keeps them.
        """
        bounds = self._bounds(min_accuracy, at_least, at_most)
        return str(querying.query(self.dir, bounds).student["id"])

    def _bounds(
        self,
        min_accuracy: float | None,
        at_least: Mapping[str, float],
        at_most: Mapping[str, float | str],
    ) -> tuple[Bound, ...]:
        below = dict(at_least)
        if min_accuracy is not None:
            below["accuracy"] = min_accuracy
        upper = [f"{name}={limit}" for name, limit in at_most.items()]
        return querying.on_run(self.dir, upper, [f"{n}={limit}" for n, limit in below.items()])

    def deliver(  # noqa: PLR0913  what is asked for, and how it is handed over
        self,
        to: str | Path,
        *,
        formats: Sequence[str] = ("safetensors", "onnx"),
        preprocessing: bool = False,
        licence: str = UNKNOWN,
        among: str | None = None,
        min_accuracy: float | None = None,
        at_least: Mapping[str, float] = MappingProxyType({}),
        progress: Progress | None = None,
        **at_most: float | str,
    ) -> dict[str, Any]:
        """The best student within the bounds, measured again, as checked files in `to`.

        One that the search stopped early is trained to the end first: where no published
        student keeps the bounds, or with `among="trials"`. Bounds as in `query`.

        Returns:
            The content of delivery.json, and the card's.

        Raises:
            BudgetError: no student keeps the bounds.
        """
        from kdsearch.pipeline.deliver import Order, deliver

        bounds = self._bounds(min_accuracy, at_least, at_most)
        order = Order(bounds, Path(to), tuple(formats), among, preprocessing, licence)
        return deliver(self.dir, order, progress or Silent())

    def network(self, student: str) -> nn.Module:
        """The trained student; its forward takes normalised images and gives an Output."""
        return students.network(self.dir, student)

    def export(
        self,
        student: str,
        to: str | Path,
        formats: Sequence[str] = ("safetensors", "onnx"),
        *,
        preprocessing: bool = False,
        licence: str = "unknown",
    ) -> dict[str, Any]:
        """Writes the student's files, checked in their own runtimes; returns card.json."""
        return students.export(
            self.dir,
            student,
            Path(to),
            formats,
            preprocessing=preprocessing,
            licence=licence,
        )


def run(
    config: str | Path | Mapping[str, Any],
    out: str | Path,
    *,
    teacher: nn.Module | None = None,
    progress: Progress | None = None,
) -> Run:
    """Runs a config (a file, or a dict of the same keys) in the folder `out`.

    What is done already is not done again. `teacher` brings a network as an object, which the
    config's `teacher` section may still resize for or fit a head to.
    """
    overrides = [] if teacher is None else [f"teacher.network={OBJECT}"]
    if isinstance(config, Mapping):
        read = parse_config(config, overrides=overrides)
    else:
        read = read_config(config, overrides)
    with error_kept(RunDir(Path(out))):
        return Run(run_stages(read, Path(out), progress or Silent(), given=teacher))


def load(path: str | Path) -> Run:
    """Opens a run's folder.

    Raises:
        RunError: there is no run in it.
    """
    found = RunDir(Path(path))
    found.read(found.config.with_name("run.json"))
    return Run(found)

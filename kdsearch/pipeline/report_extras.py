"""What a run's page shows beside its front; what is damaged is left out, with a line."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from kdsearch.config import Config
from kdsearch.errors import UserError
from kdsearch.files import damaged
from kdsearch.pipeline.trials import STUMBLED
from kdsearch.report import summary as rows
from kdsearch.report.baselines import baselines as drawn_baselines
from kdsearch.report.ranking import ranking
from kdsearch.rundir import STRANGE, RunDir, mapping
from kdsearch.search.leavings import read_result
from kdsearch.search.rung import result_files

BASELINES = "baselines.json"
Facts = Mapping[str, Any]
Found = TypeVar("Found")


class Extras:
    """Each part of a page that it can do without, and what was left out of it."""

    def __init__(self, run: RunDir, config: Config, facts: Facts) -> None:
        self._run, self._config, self._facts = run, config, facts
        self.left_out: list[str] = []

    def told(self, make: Callable[[], Found], instead: Found) -> Found:
        """`instead` where a file that it needs was damaged."""
        try:
            return make()
        except UserError as error:
            self.left_out.append(f"left out of this page: {error}")
            return instead

    def audit(self) -> Mapping[str, Any] | None:
        return self.told(partial(audit_of, self._run, self._facts), None)

    def baselines(self) -> Mapping[str, Any] | None:
        return self.told(partial(baselines_of, self._run, self._facts), None)

    def teacher(self) -> rows.TeacherRow | None:
        return self.told(partial(teacher, self._config, self._facts), None)

    def device(self) -> Mapping[str, Any]:
        return self.told(partial(device_of, self._run), {})

    def curves(self, points: Sequence[Mapping[str, Any]]) -> tuple[rows.Curve, ...]:
        """Losses of teacher, supernet and each published student."""
        found: list[rows.Curve] = []
        for stage in ("teacher", "supernet"):
            found += self.told(partial(stage_curve, stage, self._facts), [])
        for point in points if "study" in self._facts else ():
            trials = self._run.trials(self._facts["study"])
            found += self.told(partial(curve, trials, point), [])
        return tuple(found)


@contextmanager
def understood(path: Path) -> Iterator[None]:
    """Names the file where the block, which draws its content, stumbles over it."""
    try:
        yield
    except STUMBLED as error:
        raise damaged(path, STRANGE) from error


def audit_of(run: RunDir, facts: Facts) -> Mapping[str, Any] | None:
    """The audit of the supernet that the run has now; another one's says nothing of it."""
    if not run.audit.exists():
        return None
    found, has = mapping(run.audit, "supernet"), facts.get("supernet")
    if not has or found["supernet"] != Path(has).name:
        return None
    with understood(run.audit):
        ranking(found)
    return found


def baselines_of(run: RunDir, facts: Facts) -> Mapping[str, Any] | None:
    """What simpler searches reached beside the search that the run shows."""
    path = run.root / BASELINES
    if not path.exists():
        return None
    found = mapping(path, "study")
    if found["study"] != facts.get("study"):
        return None
    with understood(path):
        drawn_baselines(found)
    return found


def teacher(config: Config, facts: Facts) -> rows.TeacherRow | None:
    if not facts.get("teacher"):
        return None
    path = Path(facts["teacher"]) / "teacher.json"
    known = mapping(path, "origin", "training", "search_accuracy", "params", "macs")
    own = known["origin"].get("network") == "family"
    name = f"{known['training']}, {config.teacher.width:g} × the largest student's width"
    return rows.TeacherRow(
        name if own else known["origin"].get("network", ""),
        known["search_accuracy"],
        params=known["params"],
        macs=known["macs"],
    )


def device_of(run: RunDir) -> Mapping[str, Any]:
    key = run.root / "latency" / "key.json"
    found: Mapping[str, Any] = mapping(key, "device")["device"] if key.exists() else {}
    return found


def stage_curve(stage: str, facts: Facts) -> list[rows.Curve]:
    """None of a stage that trained nothing."""
    if not facts.get(stage):
        return []
    path = Path(facts[stage]) / f"{stage}.json"
    known = mapping(path, "curve")["curve"]
    with understood(path):
        losses = tuple((step, loss) for step, loss in known)
    return [rows.Curve(stage, stage, losses)] if losses else []


def curve(trials: Path, point: Mapping[str, Any]) -> list[rows.Curve]:
    """Of a student: its longest training, and its accuracy at every rung."""
    found = [read_result(file) for file in result_files(trials, point["trial"])]
    longest: list[tuple[int, float]] = max(
        (r.details.get("curve", []) for r in found), key=len, default=[]
    )
    accuracy = tuple(
        (r.details["steps"], r.accuracy)
        for r in found
        if r.accuracy is not None and "steps" in r.details
    )
    return [rows.Curve("finalists", point["id"], tuple((s, x) for s, x in longest), accuracy)]

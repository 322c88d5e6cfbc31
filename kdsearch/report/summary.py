"""Everything the page shows, as plain data; accuracies in [0, 1], latencies in milliseconds.

`None` and NaN mean "not known" everywhere and are shown as a dash.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from kdsearch.report.choice import Choice

Interval = tuple[float, float]
"""Low and high end of a 95 % interval."""
Cost: TypeAlias = str
"""'latency_ms', 'latency_p95_ms@edge', 'params', …: see `core.objectives`."""
Scalar = int | float | str | bool | None
Points = tuple[tuple[float, float], ...]
"""(optimiser step, value), by rising step."""


@dataclass(frozen=True, slots=True)
class Latency:
    """One network on one target; the first latency of a row is the one the search used."""

    target: str
    """Short and the same in every row: 'onnxruntime, 1 thread, batch 1'."""
    p50_ms: float | None
    p95_ms: float | None = None
    ci95_ms: Interval | None = None
    """Interval of the p50."""
    p99_ms: float | None = None
    p95_ci95_ms: Interval | None = None
    p99_ci95_ms: Interval | None = None
    predicted_ms: float | None = None
    """What the latency predictor said of the p50 beforehand."""
    predicted_90_ms: Interval | None = None
    """Its interval of 90 %."""
    load: float | None = None
    """Cores that others kept busy meanwhile."""
    is_predicted: bool = False
    """Whether nobody measured it: then the intervals are of 90 %."""


@dataclass(frozen=True, slots=True)
class StudentRow:
    """One student of the front."""

    id: str
    architecture: Mapping[str, Scalar]
    method: str
    knobs: Mapping[str, Scalar]
    search_accuracy: float | None
    params: float | None
    macs: float | None
    search_ci95: Interval | None = None
    test_accuracy: float | None = None
    test_ci95: Interval | None = None
    latencies: tuple[Latency, ...] = ()
    trial: int | None = None
    more: Mapping[str, float | None] = field(default_factory=dict)
    """Further objectives of the search, by name."""
    rung: int | None = None
    seeds: int | None = None
    """Trainings that its scores are the mean of."""
    energy_uj: float | None = None
    scores: tuple["Score", ...] = ()
    """Every score, the accuracy first."""
    alike: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By quantity: students that these measurements do not tell apart from this one."""


@dataclass(frozen=True, slots=True)
class Score:
    """One score of a student on both splits."""

    name: str
    value: float | None
    ci95: Interval | None = None
    test: float | None = None


@dataclass(frozen=True, slots=True)
class TeacherRow:
    """Who taught; a line in the chart of the front and the last row of the table."""

    name: str
    search_accuracy: float | None
    test_accuracy: float | None = None
    search_ci95: Interval | None = None
    test_ci95: Interval | None = None
    params: float | None = None
    macs: float | None = None
    latencies: tuple[Latency, ...] = ()


TrialState = Literal["trained", "screened", "stopped", "failed", "running"]


@dataclass(frozen=True, slots=True)
class TrialDot:
    """How far one trial (or one screened architecture) came."""

    name: str
    """'trial 7', or the architecture's id."""
    state: TrialState
    """trained: reached the top rung; screened: scored with inherited weights, not trained;
    stopped: given up on a lower rung; failed; running."""
    accuracy: float | None = None
    cost: float | None = None
    """In the unit of `Summary.cost`."""
    rung: int | None = None
    """Where `accuracy` was measured."""
    reason: str = ""
    """Why it stopped or failed, in one line."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One network's training; curves of one stage share their axes."""

    stage: str
    """'teacher', 'supernet' or 'finalists'."""
    name: str
    """Of the line within its stage: a student's id, 'largest'."""
    loss: Points = ()
    accuracy: Points = ()
    """On the search-validation split."""


@dataclass(frozen=True, slots=True)
class StageTime:
    name: str
    seconds: float | None
    reused: bool = False
    """Taken from the store, not done in this run."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One bound of the budget, as an absolute number."""

    cost: Cost
    value: float
    text: str
    """As the user wrote it: 'latency_ms <= 60%'."""


@dataclass(frozen=True, slots=True)
class MethodRow:
    name: str
    knobs: Mapping[str, str]
    """Knob to the range searched: 'one of 1.0, 2.0, 4.0'."""


@dataclass(frozen=True, slots=True)
class RungRow:
    """One rung of a search."""

    rung: int
    trials: int
    """How many have a score there."""
    device_seconds: float | None = None
    """None at rung 0, whose scores belong to students and are shared by runs."""
    agreement: str = ""
    """How far it ranks as the next one does, in words."""
    tau: float | None = None


@dataclass(frozen=True, slots=True)
class SearchSummary:
    space: str
    count: int | None
    """Students in the space."""
    sampler: str
    engine: str
    trials: int
    """How many were asked for."""
    objectives: tuple[str, ...]
    rungs: tuple[float, ...]
    """Shares of the full distillation."""
    methods: tuple[MethodRow, ...] = ()
    choices: Mapping[str, str] = field(default_factory=dict)
    """Axis of the space to its values: 'stage1.width' to 'one of 8, 12, 16'."""
    hypervolume: float | None = None
    ended_by: str = ""
    """Which limit ended it: 'search.trials: 40'; empty while it goes on."""
    climbed: tuple[RungRow, ...] = ()
    """Rung by rung."""
    inherits: bool = True
    """Whether students were scored with inherited weights before the first rung."""


@dataclass(frozen=True, slots=True)
class DataSummary:
    name: str
    classes: tuple[str, ...]
    image: str
    """'8 x 8, grey'."""
    splits: Mapping[str, int]
    """Split to its number of images, in order: train, calibration, search_val, test."""
    skipped: tuple[str, ...] = ()
    """Broken images that were left out."""
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """One run. Every part may be empty: the page then says so."""

    run: str
    made: str
    """When, as text: '2026-11-21 14:05'."""
    version: str
    cost: Cost = "latency_ms"
    """The x axis of the front: the first cost among the objectives."""
    students: tuple[StudentRow, ...] = ()
    knee: str | None = None
    """Id of the student nearest to the ideal."""
    teacher: TeacherRow | None = None
    limits: tuple[Limit, ...] = ()
    trials: tuple[TrialDot, ...] = ()
    curves: tuple[Curve, ...] = ()
    search: SearchSummary | None = None
    stages: tuple[StageTime, ...] = ()
    data: DataSummary | None = None
    device: Mapping[str, Scalar] = field(default_factory=dict)
    audit: Mapping[str, Any] | None = None
    """Content of audit.json: how far the ranking by inherited weights can be trusted."""
    baselines: Mapping[str, Any] | None = None
    """Content of baselines.json: what simpler searches reached at the same cost."""
    predictor: Mapping[str, Any] = field(default_factory=dict)
    """By target: how well latencies were predicted; empty where none were."""
    targets: Mapping[str, Mapping[str, Scalar]] = field(default_factory=dict)
    """By name: what a latency target is."""
    choice: Choice | None = None
    """What the page's script draws and answers queries on."""
    importance: tuple[Mapping[str, Any], ...] = ()
    """What the scores depend on, by objective; empty where there are too few trials."""
    warnings: tuple[str, ...] = ()

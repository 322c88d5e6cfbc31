"""Everything the page of a comparison shows, as plain data; accuracies in [0, 1].

`None` and NaN mean "not known" everywhere and are shown as a dash.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kdsearch.report.summary import Interval, Scalar

BASELINES = ("hard", "soften")
"""What every method is set against, where it was run."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Runs that differ in their seed alone, or pairs of such runs: mean and 95 % interval."""

    mean: float | None
    ci95: Interval | None = None
    """None where one run has none."""
    runs: tuple[float | None, ...] = ()
    """One for each seed; None where it did not come to its end."""
    says: str = ""
    """'better' or 'worse' of a difference whose interval leaves zero out."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A method's runs at equal epochs or at equal seconds."""

    accuracy: Spread
    versus: Mapping[str, Spread] = field(default_factory=dict)
    """By baseline: accuracy less the baseline's, seed by seed."""
    steps: int | None = None
    failed: tuple[str, ...] = ()
    """Why a run did not come to its end, in one line each."""


@dataclass(frozen=True, slots=True)
class MethodRow:
    name: str
    """As it was asked for: 'multi_level@views=1'."""
    knobs: Mapping[str, Scalar]
    """Values that are not the method's own defaults."""
    epochs: Outcome
    seconds: Outcome
    step_ms: float | None = None
    ratios: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    """By baseline: step time over the baseline's, median and 95 % interval."""
    extra_params: float | None = None
    """Trained beside the student's own."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One comparison."""

    run: str
    made: str
    """When, as text: '2026-11-21 14:05'."""
    version: str
    data: str
    train_images: int | None
    student: str
    """'resnet-tiny, width 4, 8, 16, depth 1, 1, 1' or 'torchvision:resnet18'."""
    teacher_accuracy: float | None
    """On the search-validation images; None without a teacher."""
    epochs: int
    steps: int
    batch_size: int
    seeds: int
    device: str = ""
    rows: tuple[MethodRow, ...] = ()

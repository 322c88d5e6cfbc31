"""A target's profile: measured networks of one space, and predictors made of them.

It is a JSON file, from this machine or brought from another device, and holds measurements
alone: predictors are fitted to them when it is read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from kdsearch.core.records import Architecture
from kdsearch.core.space import Space
from kdsearch.errors import PredictorError
from kdsearch.files import content_hash, read_json, write_json
from kdsearch.measure.book import Build, CostBook, latency_of
from kdsearch.measure.footprint import footprint_of
from kdsearch.measure.latency import Latency, Target
from kdsearch.measure.predict import FEWEST, Prediction, Predictor, Sample, axes_of, fitted
from kdsearch.measure.predict_quality import Quality, quality, read_quality
from kdsearch.measure.profile_shape import SCHEMA, check_shape

QUANTILES = ("p50_ms", "p95_ms", "p99_ms")


@dataclass(frozen=True, slots=True)
class Row:
    """A measured network."""

    architecture: Architecture
    footprint: Mapping[str, float]
    latency: Latency
    again: Latency | None = None
    """A second, independent measurement."""


@dataclass(frozen=True)
class Profile:
    target: Target
    device: Mapping[str, Any]
    """What the latencies hold for; see `fingerprint`."""
    family: str
    axes: Mapping[str, Sequence[Any]]
    """Of the space that the networks were drawn from."""
    shape: tuple[int, int, int]
    """(channels, height, width) of an image."""
    rows: tuple[Row, ...]
    known_quality: Quality | None = None
    """As it was found when the profile was written."""

    @property
    def identity(self) -> dict[str, Any]:
        """What its numbers depend on; JSON-able."""
        rows = {
            row.architecture.id: [asdict(one) for one in (row.latency, row.again) if one]
            for row in self.rows
        }
        return {
            "device": dict(self.device),
            "target": {**asdict(self.target), "name": ""},
            "family": self.family,
            "measured": content_hash(rows),
        }

    @cached_property
    def measured(self) -> dict[str, Latency]:
        """By architecture id."""
        return {row.architecture.id: row.latency for row in self.rows}

    @cached_property
    def predictors(self) -> dict[str, Predictor]:
        """By quantile ('p50_ms'), of those that were measured.

        Raises:
            PredictorError: too few networks were measured.
        """
        found = {}
        for name in QUANTILES:
            values = [getattr(row.latency, name) for row in self.rows]
            if None not in values:
                samples = zip(self.rows, values, strict=True)
                found[name] = fitted(
                    [Sample(row.architecture, row.footprint, ms) for row, ms in samples]
                )
        return found

    @cached_property
    def quality(self) -> Quality | None:
        """Of predicted medians; None of too few networks to leave some out."""
        if self.known_quality is not None:
            return self.known_quality
        if len(self.rows) * 4 < FEWEST * 5:
            return None
        again = {r.architecture.id: r.again.p50_ms for r in self.rows if r.again is not None}
        samples = [Sample(r.architecture, r.footprint, r.latency.p50_ms) for r in self.rows]
        return quality(samples, again)

    def predicted(
        self, architecture: Architecture, footprint: Mapping[str, float]
    ) -> dict[str, Prediction]:
        """By quantile."""
        return {n: one(architecture, footprint) for n, one in self.predictors.items()}

    def check(self, family: str, space: Space, shape: Sequence[int]) -> None:
        """Raises PredictorError where it is a profile of other networks or images, or one that
        cannot say something of every student of the space.
        """
        axes = {name: list(values) for name, values in space.choices().items()}
        ours = {name: list(values) for name, values in self.axes.items()}
        if self.family != family or ours.keys() != axes.keys():
            raise PredictorError(f"a profile of another space, of family {self.family}")
        for name, values in axes.items():
            if beyond := [value for value in values if value not in ours[name]]:
                raise PredictorError(f"profiled without {name} = {beyond[0]}; profile it anew")
        self.check_measured(space)
        if tuple(shape) != self.shape:
            sizes = [" x ".join(map(str, one)) for one in (self.shape, shape)]
            raise PredictorError(f"profiled for images of {sizes[0]}, not of {sizes[1]}")

    def check_measured(self, space: Space) -> None:
        if (count := len(self.measured)) >= space.count():
            return  # nothing is left to predict
        if count < FEWEST:
            raise PredictorError(f"{count} networks were measured; a prediction needs {FEWEST}")
        seen = axes_of([row.architecture for row in self.rows])
        missing = [
            f"{name} = {value}"
            for name, values in space.choices().items()
            for value in values
            if value not in seen.get(name, ())
        ]
        if missing:
            raise PredictorError(f"no measured network has {', '.join(missing)}; measure more")

    def write(self, path: Path) -> None:
        write_json(path, self.as_dict())

    def as_dict(self) -> dict[str, Any]:
        found = self.quality
        return {
            "schema": SCHEMA,
            "target": asdict(self.target),
            "device": dict(self.device),
            "family": self.family,
            "axes": {name: list(values) for name, values in self.axes.items()},
            "shape": list(self.shape),
            "quality": None if found is None else found.as_dict(),
            "networks": [
                {
                    "architecture": row.architecture.as_dict(),
                    "footprint": dict(row.footprint),
                    "latency": asdict(row.latency),
                    "again": None if row.again is None else asdict(row.again),
                }
                for row in self.rows
            ],
        }


def read_profile(path: Path, name: str | None = None) -> Profile:
    """
    Args:
        name: what the target is to be called; None: as it was.

    Raises:
        UserError: there is none, or something else stands there.
    """
    if not path.exists():
        raise PredictorError(f"{path}: no such file; `kdsearch profile CONFIG` makes one")
    content = read_json(path)
    try:
        check_shape(content)
        profile = profile_of(content)
    except (PredictorError, TypeError) as error:  # TypeError: a key that no record has
        raise PredictorError(
            f"{path}: no profile as `kdsearch profile` writes it ({error}); write it again"
        ) from error
    return profile if name is None else renamed(profile, name)


def renamed(profile: Profile, name: str) -> Profile:
    return replace(profile, target=replace(profile.target, name=name))


def profile_of(content: Mapping[str, Any]) -> Profile:
    """Of what `check_shape` let pass."""
    channels, height, width = content["shape"]
    return Profile(
        target=Target(**content["target"]),
        device=content["device"],
        family=content["family"],
        axes={str(name): list(values) for name, values in content["axes"].items()},
        shape=(channels, height, width),
        rows=tuple(map(row_of, content["networks"])),
        known_quality=None if content["quality"] is None else read_quality(content["quality"]),
    )


def row_of(content: Mapping[str, Any]) -> Row:
    again = content["again"]
    return Row(
        Architecture.of(content["architecture"]),
        {str(name): float(number) for name, number in content["footprint"].items()},
        latency_of(content["latency"]),
        None if again is None else latency_of(again),
    )


def measured_since(book: CostBook, architecture: Architecture) -> Latency | None:
    """What was measured on the device after the profile; see pipeline/remeasured.py."""
    if not book.knows([architecture]):
        return None
    found = book.latencies([architecture])[architecture.id]
    return None if found.predicted else found


@dataclass
class FromProfile:
    """Latencies that nobody measures here: those of a profile, else predicted from it; see
    `Measure`.
    """

    profile: Profile
    build: Build

    def __call__(
        self, book: CostBook, architectures: Sequence[Architecture]
    ) -> dict[str, Latency]:
        """
        Raises:
            PredictorError: a network unlike those measured.
        """
        known = self.profile.measured
        return {
            a.id: known.get(a.id) or measured_since(book, a) or self.said(a)
            for a in architectures
        }

    def said(self, architecture: Architecture) -> Latency:
        """With 90 % intervals in the place of the measured ones."""
        found = self.profile.predicted(architecture, self.footprint(architecture))
        ms, low, high = found["p50_ms"]
        intervals = {n: (one.low, one.high) for n, one in found.items()}
        tail = found.get("p99_ms")
        return Latency(
            ms,
            max(ms, found["p95_ms"].ms),
            (low, high),
            rounds=0,
            p99_ms=None if tail is None else max(ms, found["p95_ms"].ms, tail.ms),
            p95_ci95=intervals["p95_ms"],
            p99_ci95=intervals.get("p99_ms"),
            predicted=True,
        )

    def footprint(self, architecture: Architecture) -> dict[str, float]:
        return footprint_of(self.build, architecture, self.profile.shape)

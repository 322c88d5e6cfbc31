"""What a target's predictor says of published students, beside what was measured of them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from kdsearch.core.records import Architecture
from kdsearch.core.space import Space
from kdsearch.errors import PredictorError
from kdsearch.measure.book import CostBook
from kdsearch.measure.books import Books
from kdsearch.measure.footprint import footprint_of
from kdsearch.measure.intervals import median_ci95
from kdsearch.measure.predict import FEWEST, Prediction
from kdsearch.measure.predict_quality import CLOSE
from kdsearch.measure.profile import Profile
from kdsearch.pipeline.profile import profile_beside, shape_of

ENOUGH = 3
"""Students on a front below which a median has no interval."""


def with_predictions(content: Mapping[str, Any], books: Books, space: Space) -> dict[str, Any]:
    """front.json with `predictor`, by target, and each point's `predicted_latency`.

    Only of targets that were measured here and profiled before, in this space; and only of
    students that are like those measured: a front is published whatever is said of it.
    """
    fresh = {name: value for name, value in content.items() if name != "predictor"}
    for point in fresh["points"]:
        point.pop("predicted_latency", None)
    axes = {name: list(values) for name, values in space.choices().items()}
    told = {}
    for name, book in books.by_target.items():
        profile = profile_beside(book)
        if profile is not None and profile.axes == axes and len(profile.rows) >= FEWEST:
            told[name] = predictor_told(fresh["points"], name, book, profile)
    return {**fresh, "predictor": told} if told else fresh


def predictor_told(
    points: Sequence[dict[str, Any]], name: str, book: CostBook, profile: Profile
) -> dict[str, Any]:
    ratios = []
    for point, said in predictions(points, book, profile):
        interval = [said.low, said.high]
        point.setdefault("predicted_latency", {})[name] = {
            "p50": said.ms,
            "interval90": interval,
        }
        ratios.append(said.ms / point["latency"][name]["p50"])
    found = profile.quality
    quality = {} if found is None else found.as_dict()
    return {**quality, "bias_on_front": bias(ratios)}


def predictions(
    points: Sequence[dict[str, Any]], book: CostBook, profile: Profile
) -> Iterator[tuple[dict[str, Any], Prediction]]:
    """Of the points that are like what was measured."""
    for point in points:
        architecture = Architecture.of(point["architecture"])
        prints = footprint_of(book.build, architecture, shape_of(book))
        try:
            yield point, profile.predicted(architecture, prints)["p50_ms"]
        except PredictorError:
            continue


def bias(ratios: Sequence[float]) -> dict[str, Any]:
    """Of predicted to measured latencies: above 1 where predictions are too slow."""
    few = len(ratios) < ENOUGH
    return {
        "ratio": float(np.median(ratios)) if ratios else None,
        "ci95": None if few else list(median_ci95(ratios, 0)),
        "students": len(ratios),
        "within_10_percent": (
            float(np.mean([abs(r - 1) <= CLOSE for r in ratios])) if ratios else None
        ),
    }

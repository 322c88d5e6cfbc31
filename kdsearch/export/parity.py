"""Whether an artefact, read back in its own runtime, computes what the student computes."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kdsearch.errors import ExportError
from kdsearch.export.format import Format
from kdsearch.runtimes.runtime import Array, Call

TOLERANCE = 1e-3
"""Largest difference allowed, as a share of the largest logit; rounding gives about 1e-6."""
SINGLES, BATCH = 4, 64
"""So many images go through one by one, the rest in batches: both must hold."""


@dataclass(frozen=True, slots=True)
class Parity:
    images: int
    max_abs: float
    """Largest absolute difference of a logit."""
    relative: float
    """max_abs as a share of the largest absolute logit of the student."""
    top1_agreement: float
    """Share of images with the same best class, in [0, 1]."""


def check(form: Format, folder: Path, images: Array, expected: Array) -> Parity:
    """Reads an artefact back and compares; ExportError unless it agrees.

    Args:
        images: normalised calibration images, (n, channels, height, width).
        expected: the student's logits for them, (n, classes).
    """
    try:
        found = compare(expected, outputs(form.load(folder), images))
    except Exception as error:  # each runtime has its own way to refuse a broken file
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ExportError(f"{form.name}: what was written cannot be run: {reason}") from error
    if not (found.top1_agreement == 1 and found.relative <= TOLERANCE):
        raise ExportError(
            f"{form.name}: what was written does not compute what the student computes: "
            f"same class on {found.top1_agreement:.1%} of {found.images} images (must be all), "
            f"relative difference {found.relative:.2g} (at most {TOLERANCE:g}); "
            "export to another format"
        )
    return found


def outputs(call: Call, images: Array) -> Array:
    return np.concatenate([call(part) for part in parts(images)])


def parts(images: Array) -> Iterator[Array]:
    yield from (images[i : i + 1] for i in range(min(SINGLES, len(images))))
    yield from (images[i : i + BATCH] for i in range(SINGLES, len(images), BATCH))


def compare(expected: Array, actual: Array) -> Parity:
    """Both (n, classes) logits; a NaN anywhere makes the differences NaN."""
    if expected.shape != actual.shape:
        raise ExportError(f"logits of shape {actual.shape} instead of {expected.shape}")
    max_abs = float(np.abs(expected - actual).max())
    return Parity(
        images=len(expected),
        max_abs=max_abs,
        relative=max_abs / (float(np.abs(expected).max()) or 1.0),
        top1_agreement=float((expected.argmax(1) == actual.argmax(1)).mean()),
    )

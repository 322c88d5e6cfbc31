"""Whether an artefact, read back in its own runtime, computes what the student computes."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kdsearch.errors import ExportError
from kdsearch.export.format import Format
from kdsearch.export.original import reason_of
from kdsearch.runtimes.runtime import Array, Call

SINGLES, BATCH = 4, 64
"""So many images go through one by one, then all of them in batches: both must hold."""


@dataclass(frozen=True, slots=True)
class Gate:
    """What an artefact must keep to be handed over."""

    agreement: float
    """Least share of images with the same best class."""
    relative: float
    """Largest difference of a logit, as a share of the largest logit."""


EXACT = Gate(agreement=0.999, relative=1e-3)
"""In float32, where rounding gives about 1e-6."""
QUANTISED = Gate(agreement=0.8, relative=0.5)
"""In eight bits: only what is broken is refused; how good it is was measured, and is told."""


@dataclass(frozen=True, slots=True)
class Parity:
    images: int
    max_abs: float
    """Largest absolute difference of a logit."""
    relative: float
    """max_abs as a share of the largest absolute logit of the student."""
    top1_agreement: float
    """Share of images with the same best class, in [0, 1]."""


def opened(form: Format, folder: Path, *, threads: int = 1) -> Call:
    """An artefact in its runtime; ExportError where that refuses it."""
    try:
        return form.load(folder, threads=threads)
    except Exception as error:  # each runtime has its own way to refuse a broken file
        raise cannot_run(form, error) from error


def check(form: Format, call: Call, images: Array, expected: Array) -> Parity:
    """Compares what an opened artefact computes; ExportError unless it agrees.

    Args:
        images: calibration images as the artefact takes them, (n, channels, height, width).
        expected: the student's logits for them, (n, classes).
    """
    try:
        found = compare(repeated(expected), outputs(call, images), images=len(images))
    except Exception as error:  # as above
        raise cannot_run(form, error) from error
    gate = QUANTISED if form.is_quantised else EXACT
    if not (found.top1_agreement >= gate.agreement and found.relative <= gate.relative):
        raise ExportError(
            f"{form.name}: what was written does not compute what the student computes: "
            f"same class on {found.top1_agreement:.1%} of {found.images} images (at least "
            f"{gate.agreement:.1%}), relative difference {found.relative:.2g} (at most "
            f"{gate.relative:g}); export to another format"
        )
    return found


def cannot_run(form: Format, error: Exception) -> ExportError:
    reason = reason_of(error)
    return ExportError(f"{form.name}: what was written cannot be run: {reason}")


def outputs(call: Call, images: Array) -> Array:
    """(singles + n, classes): of the first images one by one, then of all in batches."""
    return np.concatenate([call(part) for part in (*singles(images), *batches(images))])


def repeated(expected: Array) -> Array:
    """What `outputs` is compared with."""
    return np.concatenate([expected[:SINGLES], expected])


def singles(images: Array) -> Iterator[Array]:
    yield from (images[i : i + 1] for i in range(min(SINGLES, len(images))))


def batches(images: Array) -> Iterator[Array]:
    yield from (images[i : i + BATCH] for i in range(0, len(images), BATCH))


def compare(expected: Array, actual: Array, *, images: int) -> Parity:
    """Both (m, classes) logits; a NaN anywhere makes the differences NaN."""
    if expected.shape != actual.shape:
        raise ExportError(f"logits of shape {actual.shape} instead of {expected.shape}")
    max_abs = float(np.abs(expected - actual).max())
    return Parity(
        images=images,
        max_abs=max_abs,
        relative=max_abs / (float(np.abs(expected).max()) or 1.0),
        top1_agreement=float((expected.argmax(1) == actual.argmax(1)).mean()),
    )

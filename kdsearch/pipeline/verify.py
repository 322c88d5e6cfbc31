"""Verb `verify`: an exported folder checked again, from the folder alone.

Every file against its hash, every artefact opened in its runtime and compared, on the images
that the folder carries, with what the student computed when it was exported.
"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from kdsearch.core.quantities import milliseconds, percent
from kdsearch.data.augment import normalise
from kdsearch.errors import ArtefactError, ExportError, UserError
from kdsearch.export import formats
from kdsearch.export.checkset import CHECK, read_check
from kdsearch.export.extras import need
from kdsearch.export.format import Format
from kdsearch.export.parity import check, opened
from kdsearch.export.sealed import CARD, PIXELS, check_files, read_card
from kdsearch.pipeline.table import table
from kdsearch.runtimes.runtime import Array


def verify(folder: Path, *, trust_code: bool = False) -> dict[str, Any]:
    """What each artefact computes now, beside what was measured on it then.

    Args:
        trust_code: also runs code that came with the folder, or that it names.

    Raises:
        ArtefactError: a file is damaged, or computes something else; it is named.
    """
    card = read_card(folder)
    check_files(folder, card["files"])
    shown = carried(folder, card)
    rows = {
        name: verified(folder, form, card, shown, trust_code=trust_code)
        for name, form in formats(card["artefacts"]).items()
    }
    if all("reason" in row for row in rows.values()):
        first = next(iter(rows.values()))
        raise UserError(f"{folder}: nothing of it can be run here: {first['reason']}")
    return {"folder": str(folder), "files": len(card["files"]), "artefacts": rows}


class Shown(NamedTuple):
    """What the folder carries to be checked with."""

    pixels: Tensor
    normalised: Tensor
    expected: Array
    """The student's logits."""


def carried(folder: Path, card: Mapping[str, Any]) -> Shown:
    """Raises ArtefactError where there is nothing to check with."""
    spec = card["spec"]
    forms = formats(card["artefacts"]).values()
    needed = [CHECK, *(name for form in forms for name in form.files)]
    for name in needed:
        if name not in card["files"]:
            raise ArtefactError(f"{folder / CARD}: says nothing of {name}; export it again")
    shape = (spec["channels"], spec["size"], spec["size"])
    pixels, expected = read_check(folder / CHECK, shape, len(spec["classes"]))
    return Shown(pixels, normalise(pixels, spec["mean"], spec["std"]), expected)


def verified(
    folder: Path, form: Format, card: Mapping[str, Any], shown: Shown, *, trust_code: bool
) -> dict[str, Any]:
    """Parity now and what was measured then; or `reason`, where it cannot run here.

    Raises:
        ArtefactError: it computes something else.
    """
    known, spec = card["artefacts"][form.name], card["spec"]
    try:
        if form.extra:
            need(form.extra, form.name, extra=form.extra)
    except UserError as error:
        return {"reason": str(error)}
    images = shown.pixels if known["takes"] == PIXELS else shown.normalised
    try:
        if not trust_code:
            form.guard(folder, spec)
        parity = check(form, opened(form, folder), images.numpy(), shown.expected)
    except ExportError as error:
        raise ArtefactError(f"{folder / form.files[0]}: {error}") from error
    then = {name: known.get(name) for name in ("test_accuracy", "latency", "runtime")}
    return asdict(parity) | then | {"runtime_here": form.runtime()}


def words(content: Mapping[str, Any]) -> str:
    """The table a person reads; what was measured when it was exported stands last."""
    headers = ("format", "same class", "difference", "test accuracy then", "p50 then")
    rows, lines = [], []
    for name, row in content["artefacts"].items():
        if "reason" in row:
            lines.append(f"not run: {row['reason']}")
            continue
        score, timed = row["test_accuracy"], row["latency"]
        rows.append(
            [
                name,
                f"{row['top1_agreement']:.1%} of {row['images']}",
                f"{row['relative']:.1e}",
                "" if score is None else percent(score),
                "" if timed is None else milliseconds(timed["p50"]),
            ]
        )
    whole = f"{content['folder']}: {content['files']} files are whole"
    return "\n".join([whole, table(rows, headers), *lines])

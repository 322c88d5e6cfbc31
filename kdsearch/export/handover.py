"""From a student to a folder of checked artefacts and their card.

What fails a check leaves nothing. Files that hold are moved in one by one; where that is cut
off, the card tells of files that are not there, and the next export takes away those that are.
"""

import copy
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from kdsearch.data.records import Split
from kdsearch.errors import UserError
from kdsearch.export import formats, written
from kdsearch.export.card import card, listed
from kdsearch.export.checkset import CHECK, write_check
from kdsearch.export.format import Format, Spec
from kdsearch.export.measured import (
    accuracy,
    best_classes,
    latencies,
    on_one_batch,
    per_class,
)
from kdsearch.export.model_card import MODEL_CARD, model_card
from kdsearch.export.original import Original
from kdsearch.export.parity import Parity, check, opened
from kdsearch.export.sealed import CARD, NORMALISED, PIXELS, seal
from kdsearch.files import read_json, write_json, write_text
from kdsearch.runtimes.runtime import Array, Call

DELIVERY = "delivery.json"
"""Beside the card, by the verb `deliver`: what was asked for, and what was measured last."""
UNKNOWN = "unknown"
LICENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]{0,63}")


@dataclass(frozen=True, slots=True)
class Order:
    """How a student is to be handed over."""

    names: Sequence[str]
    """Of formats."""
    preprocessing: bool = False
    """Whether graphs take uint8 pixels and normalise them themselves."""
    licence: str = UNKNOWN
    """As model cards name it: an identifier such as mit or apache-2.0."""
    threads: int = 1
    batch_size: int = 1
    rounds: int = 10
    """Of timing."""


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """What artefacts are tried on."""

    calibration: Tensor
    """uint8 images, on the processor: for comparing, and for ranges of eight bits."""
    test: Split | None = None
    """None: no accuracy is measured."""


@dataclass(frozen=True, slots=True, eq=False)
class Artefact:
    """One format, written and opened again."""

    form: Format
    call: Call
    known: dict[str, Any]
    parity: Parity
    takes_pixels: bool

    def images(self, original: Original, pixels: Tensor) -> Array:
        """As this artefact takes them."""
        array: Array = (pixels if self.takes_pixels else original.normalised(pixels)).numpy()
        return array


def hand_over(
    student: nn.Module,
    spec: Spec,
    shown: Shown,
    folder: Path,
    order: Order,
    facts: Mapping[str, Any],
) -> dict[str, Any]:
    """Writes every format, reads it back, compares, measures, and only then fills `folder`.

    Args:
        student: gives an Output; stays as it is.
        facts: see `card`.

    Returns:
        What card.json says.
    """
    chosen = checked(order, spec)
    check_folder(folder, chosen)
    network = copy.deepcopy(student).cpu().eval()
    original = Original(network, spec, shown.calibration, order.preprocessing)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as name:
        draft = Path(name)
        artefacts = [made(form, original, draft, order) for form in chosen.values()]
        facts = {"licence": order.licence, **facts, **measured(artefacts, original, shown)}
        known = {one.form.name: one.known for one in artefacts}
        timed = latencies(
            {
                one.form.name: on_one_batch(
                    one.call, one.images(original, shown.calibration[:64]), order.batch_size
                )
                for one in artefacts
            },
            rounds=order.rounds,
            threads=order.threads,
        )
        for key, numbers in timed.items():
            known[key]["latency"] = numbers | {"batch_size": order.batch_size}
        content = card(spec, facts, known, {one.form.name: one.parity for one in artefacts})
        files = {draft / file: None for one in artefacts for file in one.form.files}
        files[write_check(original.pixels, original.expected, draft)] = None
        content["files"] = listed(list(files))
        write_text(draft / MODEL_CARD, model_card(content, chosen))
        files[draft / MODEL_CARD] = None
        content = seal({**content, "files": listed(list(files))})
        publish(list(files), content, folder)
    return content


def checked(order: Order, spec: Spec) -> dict[str, Format]:
    """The formats, before anything is written; raises UserError for what cannot be."""
    if not LICENCE.fullmatch(order.licence):
        raise UserError(
            f"licence '{order.licence:.60}' is no identifier; write mit, apache-2.0, other …"
        )
    chosen = formats(order.names)
    if not chosen:
        raise UserError("export to which format? `kdsearch formats` lists them")
    for form in chosen.values():
        form.check(spec)
    return chosen


def check_folder(folder: Path, chosen: Mapping[str, Format]) -> None:
    """Raises UserError where something that is not ours has the name of what is written."""
    ours = {path.name for path in stale_files(folder)}
    wanted = {MODEL_CARD, CHECK, *(name for form in chosen.values() for name in form.files)}
    if ours <= {DELIVERY}:
        wanted.add(CARD)  # one that names no file of ours is somebody else's
    foreign = [name for name in sorted(wanted - ours) if (folder / name).exists()]
    if foreign:
        raise UserError(
            f"{folder / foreign[0]}: is there, and no card.json says that an export wrote it; "
            "name another folder"
        )


def made(form: Format, original: Original, draft: Path, order: Order) -> Artefact:
    """Raises ExportError unless what was written computes what the student computes."""
    facts = form.write(original, draft)
    call = opened(form, draft, threads=order.threads)
    takes_pixels = form.is_graph and order.preprocessing
    images = original.shown if takes_pixels else original.normalised(original.pixels)
    known = {
        "files": list(form.files),
        "bytes": sum((draft / name).stat().st_size for name in form.files),
        "runtime": form.runtime(),
        "takes": PIXELS if takes_pixels else NORMALISED,
        **facts,
    }
    parity = check(form, call, images.numpy(), original.expected)
    return Artefact(form, call, known, parity, takes_pixels)


def measured(artefacts: Sequence[Artefact], original: Original, shown: Shown) -> dict[str, Any]:
    """Notes the accuracy of every artefact; per-class scores are those of the first one."""
    if shown.test is None:
        return {}
    labels = shown.test.labels.numpy()
    rows: list[dict[str, Any]] = []
    for one in artefacts:
        predicted = best_classes(one.call, one.images(original, shown.test.images))
        one.known.update(accuracy(predicted, labels))
        rows = rows or per_class(predicted, labels, original.spec["classes"])
    return {"per_class": rows}


def publish(files: Sequence[Path], content: Mapping[str, Any], folder: Path) -> None:
    """Moves the files into `folder`, in place of those an earlier card there tells of.

    The card goes between them, so that at any moment it names every file of ours.
    """
    folder.mkdir(exist_ok=True)
    for path in stale_files(folder):
        path.unlink(missing_ok=True)
    write_json(folder / CARD, content)
    for file in files:
        file.replace(folder / file.name)


def stale_files(folder: Path) -> list[Path]:
    """Files of ours that the card there tells of, and what was delivered with them."""
    if not (folder / CARD).exists():
        return []
    known = read_json(folder / CARD)
    files = known.get("files") if isinstance(known, dict) else None
    names = set(files if isinstance(files, dict) else ()) & {*written(), CHECK, MODEL_CARD}
    paths = [folder / name for name in (DELIVERY, *sorted(names))]
    return [path for path in paths if path.is_symlink() or not path.is_dir()]

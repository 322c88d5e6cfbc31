"""A published student: its record on the front, its network, its files handed over."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from kdsearch.core.quantities import count
from kdsearch.data.augment import normalise
from kdsearch.data.load import load_search
from kdsearch.errors import ExportError, RunError, UserError, did_you_mean
from kdsearch.export.card import check_files
from kdsearch.export.handover import hand_over
from kdsearch.export.rebuild import rebuilt
from kdsearch.files import damaged, file_hash, made_folder, read_json
from kdsearch.nets.stored import stored_weights
from kdsearch.pipeline.delivered import delivered
from kdsearch.rundir import CARD, RunDir, mapping


def point(run: RunDir, student: str) -> dict[str, Any]:
    """The student's record in front.json, or in delivered.json.

    Raises:
        UserError: no student trained to the end has this id.
    """
    published = run.read(run.front, "points")["points"]
    points = {p["id"]: p for p in (*delivered(run), *published)}
    if student not in points:
        raise UserError(f"no student '{student}' on the front; {did_you_mean(student, points)}")
    found: dict[str, Any] = points[student]
    weights = run.root / found["weights"]
    if not weights.exists():
        raise damaged(weights, "is not there", run.student(student))
    return found


def network(run: RunDir, student: str) -> nn.Module:
    """The trained student in eval mode; its forward gives an Output."""
    row = point(run, student)
    spec = mapping(run.student(student) / CARD, "spec")["spec"]
    net = rebuilt(spec)
    net.load_state_dict(stored_weights(run.root / row["weights"], within=run.student(student)))
    return net.eval()


def export(run: RunDir, student: str, to: Path, formats: Sequence[str]) -> dict[str, Any]:
    """Writes the student in each format, reloaded and compared on calibration images.

    Returns:
        The content of card.json, parity numbers included.

    Raises:
        ExportError: an artefact does not compute what the student computes.
    """
    row: Mapping[str, Any] = point(run, student)
    made_folder(to if to.exists() else to.parent)
    weights = file_hash(run.root / row["weights"])
    if (done := there_already(to, weights, formats)) is not None:
        return done
    card = mapping(run.student(student) / CARD, "spec", "data")
    linked = run.root / "data"  # kept right by each run, also after a move
    data = load_search(linked if linked.exists() else Path(card["data"]))
    images = normalise(data.calibration.images, data.info.mean, data.info.std)
    facts = {k: v for k, v in row.items() if k != "architecture"} | {"weights": weights}
    return hand_over(
        network(run, student), card["spec"], images, to, names=formats, facts=facts
    )


def there_already(to: Path, weights: str, formats: Sequence[str]) -> dict[str, Any] | None:
    """The card of an earlier export of the same weights, if its files are still whole."""
    if not (to / "card.json").exists():
        return None
    try:
        card: dict[str, Any] = read_json(to / "card.json")
    except RunError:
        raise UserError(
            f"{to}: its card.json is damaged; remove it, or export elsewhere"
        ) from None
    if card.get("weights") != weights or list(card["parity"]) != list(formats):
        return None
    try:
        check_files(to)
    except ExportError:
        return None
    return card


def checked_words(student: str, card: Mapping[str, Any], to: Path) -> str:
    """What was written and how well it agrees with the student."""
    lines = [f"{student} handed over to {to}"]
    for name, numbers in card["parity"].items():
        lines.append(
            f"  {name}: same class on {numbers['top1_agreement']:.0%} of {numbers['images']} "
            f"calibration images, largest difference {numbers['max_abs']:.2g}"
        )
    lines += [f"  {name} ({count(file['bytes'])}B)" for name, file in card["files"].items()]
    return "\n".join(lines)

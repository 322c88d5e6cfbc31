"""A published student: its record on the front, its network, its files handed over."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from kdsearch.core.quantities import count, milliseconds, percent
from kdsearch.data.load import load_search
from kdsearch.data.records import DataInfo
from kdsearch.data.test_split import open_test
from kdsearch.errors import ArtefactError, UserError, did_you_mean
from kdsearch.export import formats
from kdsearch.export.handover import UNKNOWN, Order, Shown, check_folder, checked, hand_over
from kdsearch.export.rebuild import rebuilt
from kdsearch.export.sealed import NORMALISED, PIXELS, check_files, read_card
from kdsearch.export.spec import is_spec
from kdsearch.files import damaged, file_hash
from kdsearch.nets.stored import stored_weights
from kdsearch.pipeline.delivered import delivered
from kdsearch.pipeline.place import check_place
from kdsearch.pipeline.table import table
from kdsearch.rundir import CARD, STRANGE, RunDir, mapping


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
    spec = described(run, student)["spec"]
    weights = stored_weights(run.root / row["weights"], within=run.student(student))
    try:
        net = rebuilt(spec)
        net.load_state_dict(weights)
    except (LookupError, ValueError, TypeError, RuntimeError) as error:
        raise damaged(run.student(student) / CARD, "not what its weights are of") from error
    return net.eval()


def described(run: RunDir, student: str) -> dict[str, Any]:
    """What its run knows of it; raises RunError where that was damaged since."""
    path = run.student(student) / CARD
    card = mapping(path, "spec", "data")
    if not is_spec(card["spec"]):
        raise damaged(path, STRANGE)
    return card


def export(
    run: RunDir,
    student: str,
    to: Path,
    names: Sequence[str],
    *,
    preprocessing: bool = False,
    licence: str = UNKNOWN,
) -> dict[str, Any]:
    """Writes the student in each format, reloaded, compared and measured.

    Compared on calibration images; scored on test images, whose opening is logged.

    Args:
        preprocessing: whether graphs take uint8 pixels and normalise them themselves.
        licence: of the student, as model cards name it.

    Returns:
        The content of card.json, parity numbers included.

    Raises:
        ExportError: an artefact does not compute what the student computes.
    """
    row: Mapping[str, Any] = point(run, student)
    check_place(to)
    weights = file_hash(run.root / row["weights"])
    timed = next(iter(row["latency"].values()))
    order = Order(
        names, preprocessing, licence, timed.get("threads", 1), timed.get("batch_size", 1)
    )
    if (done := there_already(to, weights, order)) is not None:
        return done
    card = described(run, student)
    check_folder(to, checked(order, card["spec"]))
    linked = run.root / "data"  # kept right by each run, also after a move
    folder = linked if linked.exists() else Path(card["data"])
    data = load_search(folder)
    test = open_test(folder, purpose=f"check of exported {student}", log=run.test_openings)
    facts = {k: v for k, v in row.items() if k != "architecture"} | {
        "weights": weights,
        "data": data_facts(data.info),
        "teacher": teacher_facts(run),
    }
    shown = Shown(data.calibration.images, test)
    return hand_over(network(run, student), card["spec"], shown, to, order, facts)


def data_facts(info: DataInfo) -> dict[str, Any]:
    """Which images it learnt, without where they lay."""
    return {
        "name": without_folders(info.name),
        "fingerprint": info.fingerprint,
        "images": dict(info.counts),
    }


def teacher_facts(run: RunDir) -> dict[str, Any] | None:
    """Who taught it; None where nobody did."""
    kept = run.facts().get("teacher")
    if kept is None or not (Path(kept) / "teacher.json").exists():
        return None
    known = mapping(Path(kept) / "teacher.json", "origin")
    return {
        "network": without_folders(str(known["origin"].get("network"))),
        "training": known.get("training"),
        "hash": Path(kept).name,
    }


def without_folders(name: str) -> str:
    """'folder:/home/me/photos' as 'folder:photos'."""
    kind, colon, rest = name.partition(":")
    return f"{kind}{colon}{Path(rest).name}" if "/" in rest else name


def there_already(to: Path, weights: str, order: Order) -> dict[str, Any] | None:
    """The card of an earlier export of the same weights, if its files are still whole."""
    if not (to / "card.json").exists():
        return None
    try:
        card = read_card(to)
    except ArtefactError:
        raise UserError(
            f"{to}: its card.json is damaged; remove it, or export elsewhere"
        ) from None
    forms = formats(card["artefacts"])
    takes = {card["artefacts"][n]["takes"] for n, form in forms.items() if form.is_graph}
    asked = {PIXELS if order.preprocessing else NORMALISED}
    same = (card.get("weights"), card.get("licence"), list(card["artefacts"]))
    if same != (weights, order.licence, list(order.names)) or not takes <= asked:
        return None
    try:
        check_files(to, card["files"])
    except ArtefactError:
        return None
    return card


def checked_words(student: str, card: Mapping[str, Any], to: Path) -> str:
    """What was written, how well it agrees with the student, how good and fast it is."""
    headers = ("format", "same class", "difference", "test accuracy", "p50", "p95", "size")
    rows = []
    for name, known in card["artefacts"].items():
        parity, timed = card["parity"][name], known["latency"]
        rows.append(
            [
                name,
                f"{parity['top1_agreement']:.1%} of {parity['images']}",
                f"{parity['relative']:.1e}",
                percent(known["test_accuracy"]) if "test_accuracy" in known else "",
                milliseconds(timed["p50"]),
                milliseconds(timed["p95"]),
                f"{count(known['bytes'])}B",
            ]
        )
    lines = [f"{student} handed over to {to}", table(rows, headers)]
    if any(known["latency"]["busy"] for known in card["artefacts"].values()):
        lines.append("  timed on a busy machine: others needed its cores")
    lines += [f"  {name} ({count(file['bytes'])}B)" for name, file in card["files"].items()]
    return "\n".join(lines)

"""From a student to a folder of checked artefacts and their card: all of it or nothing."""

import copy
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from kdsearch.export import formats
from kdsearch.export.card import card
from kdsearch.export.format import Spec
from kdsearch.export.parity import check
from kdsearch.files import read_json, write_json
from kdsearch.measure.accuracy import predict


def hand_over(
    student: nn.Module,
    spec: Spec,
    images: Tensor,
    folder: Path,
    *,
    names: Iterable[str],
    facts: Mapping[str, Any],
) -> dict[str, Any]:
    """Writes every format, reads it back, compares, and only then fills `folder`.

    Args:
        student: gives an Output; stays as it is.
        images: normalised calibration images, on the processor.
        names: of formats.
        facts: see `card`.

    Returns:
        What card.json says.
    """
    chosen = formats(names)
    network = copy.deepcopy(student).cpu().eval()
    expected = predict(network, images, batch_size=64).numpy()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as name:
        draft = Path(name)
        files, parity = [], {}
        for key, form in chosen.items():
            files += form.write(network, spec, images, draft)
            parity[key] = check(form, draft, images.numpy(), expected)
        content = card(spec, facts, parity, files)
        publish(files, folder)
    write_json(folder / "card.json", content)
    return content


def publish(files: list[Path], folder: Path) -> None:
    """Moves the files into `folder`, in place of those an earlier card there tells of."""
    folder.mkdir(exist_ok=True)
    old = folder / "card.json"
    if old.exists():
        stale = read_json(old).get("files", {})
        old.unlink()
        for name in stale:
            (folder / Path(name).name).unlink(missing_ok=True)
    for file in files:
        file.replace(folder / file.name)

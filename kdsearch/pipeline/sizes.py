"""What is counted of students that were not published, from the space's family alone."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch

from kdsearch.core.records import Architecture
from kdsearch.measure.energy import energy_uj
from kdsearch.measure.size import macs, params
from kdsearch.nets.kinds import family_of
from kdsearch.rundir import CARD, RunDir, mapping


def sizes(
    run: RunDir, front: Mapping[str, Any], students: Iterable[Architecture]
) -> dict[str, dict[str, float]]:
    """By architecture id params, macs and energy_uj; a published student's card says of what
    family they are and what images they take.
    """
    spec = mapping(run.student(front["points"][0]["id"]) / CARD, "spec")["spec"]
    family, channels, side = family_of(spec["family"]), spec["channels"], spec["size"]
    found = {}
    for student in students:
        with torch.device("meta"):
            network = family.student(student, channels, len(spec["classes"]))
        counted = {"params": params(network), "macs": macs(network, (channels, side, side))}
        found[student.id] = {**counted, "energy_uj": energy_uj(**counted)}
    return found

"""Students that were trained to be delivered: theirs alone are the weights that lie there."""

import json
import shutil
from typing import Any

import pytest

from kdsearch.errors import RunError, UserError
from kdsearch.files import read_json
from kdsearch.pipeline import students
from kdsearch.pipeline.delivered import delivered, keep
from kdsearch.rundir import RunDir


def kept(run: RunDir, name: str = "s998") -> dict[str, Any]:
    """A student beside the front, with the weights of one on it."""
    row = read_json(run.front)["points"][0]
    shutil.copytree(run.student(row["id"]), run.student(name))
    own = {**row, "id": name, "weights": row["weights"].replace(row["id"], name), "trial": 998}
    keep(run, own)
    return own


def test_weights_of_another_search_are_not_the_students(copied: RunDir) -> None:
    """Both searches' trial 998 have the folder students/s998."""
    row = kept(copied)
    assert students.point(copied, row["id"])["search_accuracy"] == row["search_accuracy"]
    other = read_json(copied.front)["points"][1]
    shutil.copyfile(copied.root / other["weights"], copied.root / row["weights"])
    assert delivered(copied) == []
    with pytest.raises(UserError, match="no student 's998'"):
        students.point(copied, row["id"])


def test_a_student_whose_weights_are_gone_is_none(copied: RunDir) -> None:
    row = kept(copied)
    assert [one["id"] for one in delivered(copied)] == [row["id"]]
    (copied.root / row["weights"]).unlink()
    assert delivered(copied) == []


@pytest.mark.parametrize(
    "damage", [{"id": "../../s998"}, {"weights": "../../weights"}, {"latency": None}]
)
def test_a_damaged_row_is_one_line(copied: RunDir, damage: dict[str, Any]) -> None:
    kept(copied)
    content = read_json(copied.delivered)
    content["students"][0] |= damage
    copied.delivered.write_text(json.dumps(content))
    with pytest.raises(RunError, match="delivered.json: not what a run writes"):
        delivered(copied)

"""Students by number or by file."""

from pathlib import Path

import pytest

from kdsearch.core.records import Architecture
from kdsearch.core.space import Choice, Space
from kdsearch.errors import UserError
from kdsearch.pipeline.pupils import pupils
from kdsearch.search.teachers import chosen

SPACE = Space({"width": Choice((1, 2, 3, 4, 5, 6)), "depth": Choice((1, 2, 3, 4))})


def test_a_number_draws_them() -> None:
    assert pupils("4", SPACE, 3) == chosen(SPACE, 4, 3)


def test_a_file_lists_them(tmp_path: Path) -> None:
    file = tmp_path / "few.yaml"
    file.write_text("students: [{width: 1, depth: 2}]\nheld_out: [{width: 2, depth: 2}]\n")
    one, two = (Architecture.of({"width": w, "depth": 2}) for w in (1, 2))
    found = pupils(str(file), SPACE, 0)
    assert found.students == (one, two) and found.held_out == (two,)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("student: []", "1:1: student: unknown key; did you mean 'students'?"),
        ("students: []", "needs 'students' or 'held_out'"),
        ("students: 4", "must be a list of students"),
        ("students: [4]", "must be a student: {stage1.width: 16"),
        ("students: [{width: 9, depth: 1}]", "width = 9; allowed: one of 1, 2"),
        ("students: [{width: 1}]", "missing: depth"),
        ("held_out: [{width: 1, depth: 1}, {depth: 1, width: 1}]", "names a student twice"),
    ],
)
def test_what_is_wrong_with_a_file(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "few.yaml"
    file.write_text(text)
    with pytest.raises(UserError) as error:
        pupils(str(file), SPACE, 0)
    assert str(error.value).startswith(str(file)) and said in str(error.value)


@pytest.mark.parametrize("asked", ["few.yaml", "many", ""])
def test_neither_a_number_nor_a_file(asked: str) -> None:
    with pytest.raises(UserError, match="neither a number nor a YAML file that is there"):
        pupils(asked, SPACE, 0)

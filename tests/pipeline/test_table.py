"""Tables and paragraphs of plain text."""

from kdsearch.pipeline.table import WIDEST, paragraphs, table, width

ROWS = [["soften", "needed", "a: 1 to 2"], ["hard", "", "b: " + "one, " * 40 + "last"]]
HEADERS = ["name", "teacher", "knobs"]


def test_columns_are_aligned_and_numbers_stand_to_the_right() -> None:
    assert table([["a", "1 ms"], ["bcd", "10 ms"]], ["name", "p50"]).splitlines() == [
        "name    p50", "----  -----", "a      1 ms", "bcd   10 ms",
    ]  # fmt: skip


def test_a_row_too_wide_is_a_paragraph() -> None:
    first, second = paragraphs(ROWS, HEADERS).split("\n\n")
    assert first.splitlines() == ["soften", "  teacher  needed", "  knobs    a: 1 to 2"]
    name, *lines = second.splitlines()
    assert name == "hard" and lines[0].startswith("  knobs    b: one"), "nothing for nothing"
    assert len(lines) == 3 and all(line.startswith(" " * 11) for line in lines[1:])
    assert lines[-1].endswith("last") and max(map(width, lines)) <= WIDEST

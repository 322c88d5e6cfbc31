from kdsearch.report.wording import architecture_lines, interval_text, knobs_text, value_text


def test_stages_stand_side_by_side() -> None:
    architecture = {
        "stage1.depth": 1,
        "stage2.depth": 2,
        "stage1.width": 8,
        "stage2.width": 16,
        "stem": "wide",
    }
    assert architecture_lines(architecture) == ["depth 1, 2", "width 8, 16", "stem wide"]


def test_odd_axis_names() -> None:
    assert architecture_lines({"depth1": 1, "depth2": 2}) == ["depth 1, 2"]
    assert architecture_lines({"1": 1, "2": 2}) == ["# 1, 2"]
    assert architecture_lines({"layer3": 1}) == ["layer3 1"]
    assert architecture_lines({}) == []


def test_values() -> None:
    assert value_text(0.123456) == "0.1235"
    assert value_text(None) == "–"
    assert value_text(True) == "True"
    assert (
        knobs_text({"temperature": 4.0, "weight": 0.9})
        == "temperature\u00a04 · weight\u00a00.9"
    )


def test_intervals() -> None:
    assert interval_text((0.95, 0.9834)) == "95.0 – 98.3"
    assert interval_text(None) == interval_text((float("nan"), 1.0)) == ""

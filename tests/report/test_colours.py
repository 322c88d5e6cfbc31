from collections.abc import Mapping

import pytest

from kdsearch.report.colours import DARK, LIGHT, LINES, standalone_style


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.1."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_of_black_on_white() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_text_and_marks_can_be_read(palette: Mapping[str, str]) -> None:
    lines = [f"line{i}" for i in range(1, LINES + 1)]
    for name in ("ink", "soft", "knee", *lines):
        assert contrast(palette[name], palette["paper"]) >= 4.5, name
    for name in ("ink", "soft", "knee"):
        assert contrast(palette[name], palette["mark"]) >= 4.5, name
    assert contrast(palette["soft"], palette["shade"]) >= 4.5
    assert contrast(palette["student"], palette["paper"]) >= 3
    assert contrast(palette["dot"], palette["paper"]) >= 2, "pale, and yet there"


def test_both_palettes_name_the_same_colours() -> None:
    assert LIGHT.keys() == DARK.keys()


def test_a_picture_of_its_own_needs_no_variables() -> None:
    style = standalone_style()
    assert "var(" not in style
    assert LIGHT["student"] in style and DARK["student"] in style

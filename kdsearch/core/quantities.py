"""Numbers as a person reads them: '1.2 k', '34 µs', '1 min 05 s'; '–' where there is none."""

import math

UNKNOWN = "–"


def count(number: float | None) -> str:
    """Parameters, MACs, students: three digits and a letter, '1.2 k' or '34.5 M'."""
    if number is None or not math.isfinite(number):
        return UNKNOWN
    if abs(number) < 999.5:
        return f"{number:.0f}"
    for letter in ("k", "M", "G", "T"):
        number /= 1000
        if abs(number) < 99.95:
            return f"{number:.1f} {letter}"
        if abs(number) < 999.5 or letter == "T":
            return f"{number:.0f} {letter}"
    raise AssertionError("the last letter takes every number")


def several(number: int, noun: str, plural: str = "") -> str:
    """'1 student', '1,204 students'; a `plural` that is none with an s."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def size(number: float) -> str:
    """Bytes: '312 B', '1.2 kB', '34.5 MB'."""
    counted = count(number)
    return f"{counted}B" if " " in counted else f"{counted} B"


def milliseconds(ms: float | None) -> str:
    """A latency in the unit that suits it: '34 µs', '1.25 ms', '2.1 s'."""
    if ms is None or not math.isfinite(ms):
        return UNKNOWN
    if abs(ms) < 0.9995:
        return f"{ms * 1000:.3g} µs"
    return f"{three_digits(ms)} ms" if abs(ms) < 999.5 else f"{three_digits(ms / 1000)} s"


def microjoules(uj: float | None) -> str:
    """An energy in the unit that suits it: '34 nJ', '1.25 µJ', '2.1 mJ'."""
    if uj is None or not math.isfinite(uj):
        return UNKNOWN
    if abs(uj) < 0.9995:
        return f"{uj * 1000:.3g} nJ"
    return f"{three_digits(uj)} µJ" if abs(uj) < 999.5 else f"{three_digits(uj / 1000)} mJ"


def plain_number(number: float | None) -> str:
    """Without a unit, three digits: '0.034', '1.2e+06'."""
    return UNKNOWN if number is None or not math.isfinite(number) else f"{number:.3g}"


def three_digits(number: float) -> str:
    """Three significant digits, never in the form 1e+03."""
    return f"{number:.3g}" if abs(number) < 999.5 else f"{number:.0f}"


def duration(seconds: float | None) -> str:
    """How long something took: '0.4 s', '12 s', '1 min 05 s', '2 h 03 min', '3 d 04 h'."""
    if seconds is None or not math.isfinite(seconds):
        return UNKNOWN
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    minutes = round(seconds / 60)
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    hours = round(seconds / 3600)
    return f"{hours // 24} d {hours % 24:02d} h"


def percent(share: float | None, digits: int = 1) -> str:
    """An accuracy in [0, 1] as '97.2 %'."""
    if share is None or not math.isfinite(share):
        return UNKNOWN
    return f"{share * 100:.{digits}f} %"


def printable(text: str) -> str:
    """One line without control characters, surrogates or reordering marks.

    Names come from folders and data sets; a terminal or an XML file must not obey them.
    """
    spaced = text.translate({ord(c): " " for c in "\t\n\r\v\f"})
    return "".join(c if _harmless(c) else "\N{REPLACEMENT CHARACTER}" for c in spaced)


def _harmless(char: str) -> bool:
    code = ord(char)
    control = code < 0x20 or 0x7F <= code < 0xA0
    surrogate = 0xD800 <= code <= 0xDFFF
    reordering = 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069
    noncharacter = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
    separator = code in (0x2028, 0x2029)
    return not (control or surrogate or reordering or noncharacter or separator)

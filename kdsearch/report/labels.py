"""Where labels go, so that they cover neither marks nor each other."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels, y downward."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: "Box") -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )

    def inside(self, other: "Box") -> bool:
        return (
            other.left <= self.left
            and self.right <= other.right
            and other.top <= self.top
            and self.bottom <= other.bottom
        )


def text_width(text: str, size: float = 12.0) -> float:
    """A generous guess in pixels; fonts differ from machine to machine."""
    return sum(size * _char_width(char) for char in text)


def _char_width(char: str) -> float:
    """In ems, after a wide sans serif (DejaVu Sans)."""
    if char in " .,:;|!'·()[]ijlftr1-":
        return 0.42
    if char in "mwMW%@—…":
        return 0.95
    return 1.05 if ord(char) > 0x2E7F else 0.66


def shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def place(
    x: float, y: float, size: tuple[float, float], taken: Sequence[Box], frame: Box
) -> Box | None:
    """The free box of `size` nearest to a mark at (x, y), above left first; None if none is.

    Above left comes first since a front rises to the right: that side is empty.
    """
    width, height = size
    for gap in (8.0, 16.0, 28.0):
        middle = y - height / 2
        for left, top in (
            (x - gap - width, y - gap * 0.5 - height),
            (x + gap, y + gap * 0.5),
            (x - width / 2, y - gap - height),
            (x + gap, middle),
            (x - gap - width, middle),
            (x + gap, y - gap * 0.5 - height),
            (x - width / 2, y + gap),
            (x - gap - width, y + gap * 0.5),
        ):
            box = Box(left, top, left + width, top + height)
            if box.inside(frame) and not any(box.overlaps(other) for other in taken):
                return box
    return None


def spread(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """The same places moved apart by at least `gap` within [low, high], their order kept.

    Closer than `gap` only where [low, high] is too short for all of them.
    """
    if not places:
        return []
    gap = min(gap, (high - low) / max(1, len(places) - 1))
    order = sorted(range(len(places)), key=lambda i: places[i])
    moved: list[float] = []
    for rank, i in enumerate(order):
        floor = moved[-1] + gap if moved else low
        ceiling = high - gap * (len(order) - 1 - rank)
        moved.append(min(max(places[i], floor), ceiling))
    result = [0.0] * len(places)
    for i, at in zip(order, moved, strict=True):
        result[i] = at
    return result

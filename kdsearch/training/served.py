"""Whether what is stored of a teacher's outputs is all that a method needs of it."""

from kdsearch.distill.method import Needs, Part

STORED: tuple[Part, ...] = ("logits", "pooled")
"""Feature maps are too large to be kept."""


def is_served(needs: Needs) -> bool:
    """Not where it asks for maps, further views, or another teacher than the frozen one."""
    return (
        bool(needs.teacher)
        and set(needs.teacher) <= set(STORED)
        and not needs.views
        and needs.online is None
        and needs.auxiliary is None
    )

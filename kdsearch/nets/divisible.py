"""Widths that processors like: Sandler et al., 2018, arXiv:1801.04381 (the authors' released
code; the same rule in Cai et al., 2020, arXiv:1908.09791, mit-han-lab/once-for-all).
"""

DIVISOR = 8


def make_divisible(width: float, divisor: int = DIVISOR) -> int:
    """The multiple of `divisor` nearest to `width`, but at least one, and never below 90 %."""
    nearest = max(divisor, int(width + divisor / 2) // divisor * divisor)
    return nearest if nearest >= 0.9 * width else nearest + divisor

"""Whether a data set fits in memory, asked before any of it is decoded."""

import os
from pathlib import Path

from kdsearch.errors import DataError

COPIES = 2
"""Images are held once while they are read, and once more while they are written."""


def available_bytes() -> int | None:
    """Memory this process may still take, within its container's limit; None if unknown."""
    found = []
    meminfo, limit = Path("/proc/meminfo"), Path("/sys/fs/cgroup/memory.max")
    if meminfo.exists():
        fields = dict(line.split(":", 1) for line in meminfo.read_text().splitlines())
        found.append(int(fields["MemAvailable"].split()[0]) * 1024)
    elif "SC_PHYS_PAGES" in os.sysconf_names:
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    if limit.exists() and (text := limit.read_text().strip()).isdigit():
        found.append(int(text))
    return min(found, default=None)


def check_fits(images: int, channels: int, size: int, *, available: int | None) -> None:
    """Raises DataError if that many decoded images would not fit."""
    needed = COPIES * images * channels * size * size
    if available is not None and needed > available:
        shape = f"{channels}x{size}x{size}"
        raise DataError(
            f"{images} images of {shape} need {needed / 1e9:.1f} GB of memory, "
            f"{available / 1e9:.1f} GB are free; set a smaller data.size or data.limit"
        )

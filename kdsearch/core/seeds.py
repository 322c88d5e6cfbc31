"""Seeds derived from seeds: the same names give the same number, on every machine."""

import hashlib


def derive(seed: int, *names: str | int) -> int:
    """A 32-bit seed for a named use, independent of the seeds of other names."""
    text = "/".join(map(str, (seed, *names)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")

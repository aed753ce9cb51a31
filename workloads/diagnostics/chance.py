"""Chance that can be repeated."""

import hashlib

_BYTES = 6


def draw(seed: int, attempt: int) -> float:
    """A number from 0 up to but not including 1, evenly spread; the same for the same arguments.

    Of a digest, because `random`'s sequences may differ between versions of Python.
    """
    digest = hashlib.sha256(f"{seed}:{attempt}".encode()).digest()
    return float(int.from_bytes(digest[:_BYTES]) / 256**_BYTES)

"""Seconds as people write them."""


def duration(seconds: float | None) -> str:
    """`12 ms`, `3.4 s`, or a dash where there is none."""
    if seconds is None:
        return "–"
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"

"""The waits of a flood's neighbours as an SVG: a dot for each of their starts, the flood as a line.

Pure; plain text, so that the picture in the documentation needs no library. Time goes to the right,
the wait goes up by powers of ten.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import floor, log10
from xml.sax.saxutils import escape

Point = tuple[float, float]  # seconds since the flood began, seconds waited

WIDTH, HEIGHT = 720, 360
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 44, 44
LEAST, MOST = 0.001, 1000.0  # seconds of wait at the bottom and at the top
INK, FAINT, FLOOD, NEIGHBOURS = "#2b2b2b", "#dddddd", "#c05621", "#2b6cb0"
_LABELS = {0.001: "1 ms", 0.01: "10 ms", 0.1: "0.1 s", 1: "1 s", 10: "10 s", 100: "100 s",
           1000: "1000 s"}  # fmt: skip


def draw(*, flooding: Sequence[Point], others: Sequence[Point]) -> str:
    """The whole picture."""
    until = max((at for at, _ in (*flooding, *others)), default=1.0) or 1.0
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="sans-serif" font-size="12" fill="{INK}">',
        "<title>Waits beside a flood</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        *_axes(until),
        _line(_thinned(flooding, 400), until),
        *_dots(others, until),
        *_legend(),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _x(at: float, until: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * at / until


def _y(wait: float) -> float:
    share = log10(min(max(wait, LEAST), MOST) / LEAST) / log10(MOST / LEAST)
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share


def _axes(until: float) -> Iterator[str]:
    for wait, label in _LABELS.items():
        y = _y(wait)
        yield f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="{FAINT}"/>'
        yield _text(LEFT - 8, y + 4, label, anchor="end")
    step = _step(until)
    for number in range(floor(until / step) + 1):
        yield _text(_x(number * step, until), HEIGHT - BOTTOM + 18, f"{number * step:g}")
    yield _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, "seconds since the flood began")


def _step(until: float) -> float:
    """A round number of seconds, for five to twelve marks."""
    tenth = 10.0 ** floor(log10(until))
    return next(step for step in (tenth / 10, tenth / 5, tenth / 2, tenth) if until / step <= 12)


def _line(points: Sequence[Point], until: float) -> str:
    path = "L".join(f"{_x(at, until):.1f} {_y(wait):.1f}" for at, wait in points)
    return f'<path d="M{path}" fill="none" stroke="{FLOOD}" stroke-width="2"/>' if path else ""


def _dots(points: Iterable[Point], until: float) -> Iterator[str]:
    yield f'<g fill="{NEIGHBOURS}" fill-opacity="0.6">'
    for at, wait in points:
        yield f'<circle cx="{_x(at, until):.1f}" cy="{_y(wait):.1f}" r="2"/>'
    yield "</g>"


def _thinned(points: Sequence[Point], most: int) -> Sequence[Point]:
    return points[:: max(1, len(points) // most)]


def _legend() -> Iterator[str]:
    for number, (colour, label) in enumerate(
        ((FLOOD, "the flooding tenant: wait of the job that starts"),
         (NEIGHBOURS, "nine others: each of their jobs"))
    ):  # fmt: skip
        x = LEFT + number * 330
        yield f'<rect x="{x}" y="14" width="12" height="12" fill="{colour}"/>'
        yield _text(x + 18, 24, label, anchor="start")


def _text(x: float, y: float, text: str, *, anchor: str = "middle") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'

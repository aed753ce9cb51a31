"""Flower's own pages, two of them with our links around."""

from pathlib import Path

from tornado.template import DictLoader

_OURS = Path(__file__).parent / "templates"


def with_our_links(flowers: str | Path) -> DictLoader:
    """All templates of the directory `flowers`; ours win, and find what they replace under
    `flower-NAME`."""
    theirs, ours = _read(Path(flowers)), _read(_OURS)
    replaced = {f"flower-{name}": theirs[name] for name in ours}
    return DictLoader({**theirs, **replaced, **ours})


def _read(directory: Path) -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in directory.glob("*.html")}

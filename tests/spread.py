"""How a run in several processes is dealt out: a file goes to one of them as a whole, the files
of a directory that shares one site together, and what takes long goes first, so that at the end
no process is alone with it.

Nobody keeps a list of times: the fewer tests a file has, the longer they take.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from config.bootstrap import ROOT

SHARING = ("tests/browser/", "tests/examples/", "tests/live/")  # one site for all of their files


def unit_of(nodeid: str) -> str:
    """What this test must not be parted from."""
    path = nodeid.partition("::")[0]
    return next((directory for directory in SHARING if path.startswith(directory)), path)


def longest_first(items: list[pytest.Item]) -> None:
    """Units of several files before single ones, and those with few tests before the others."""
    sizes = Counter(unit_of(item.nodeid) for item in items)

    def place(item: pytest.Item) -> tuple[bool, int, str]:
        unit = unit_of(item.nodeid)
        return unit not in SHARING, sizes[unit], unit

    items.sort(key=place)


def pytest_collection(session: pytest.Session) -> None:
    """To rewrite the assertions of all files takes as long as many tests, and all processes would
    begin with the first file. So each begins in another place, and finds compiled what the others
    came to before it."""
    if work := getattr(session.config, "workerinput", None):
        number = int(work["workerid"].removeprefix("gw"))
        for path in turned(_files(session.config), number / work["workercount"]):
            _import(path)


def turned(files: list[Path], by: float) -> list[Path]:
    """The same round, begun at this part of it."""
    start = int(len(files) * by)
    return files[start:] + files[:start]


def _files(config: pytest.Config) -> list[Path]:
    places = [config.rootpath / arg.partition("::")[0] for arg in config.args]
    return sorted({file for place in places for file in place.rglob("test_*.py")})


def _import(path: Path) -> None:
    """What fails here fails again where pytest collects it, and is told there."""
    with suppress(Exception, pytest.skip.Exception):
        import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Deals out whole units, in the order of the collection."""
    config.option.loadscopereorder = False
    scheduler = LoadScopeScheduling(config, log)
    scheduler._split_scope = unit_of
    return scheduler


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):  # in one process they run as they are written
        longest_first(items)

"""Is the installation what was locked, with room to work, and does it keep its secrets?"""

import os
import shutil
import stat
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryFile

from django.conf import settings
from packaging.requirements import Requirement

from config.doctor.finding import Finding, fail, ok, warn

_OLDEST_PYTHON = (3, 11)
_MEGABYTE = 1024 * 1024
_LITTLE, _TOO_LITTLE = 1024 * _MEGABYTE, 100 * _MEGABYTE
# What a start leaves in CELERIAC_HOME with passwords or keys in it.
_SECRET_FILES = ("secret_key", "embedded.env", "flower-password")


def python() -> Finding:
    """The interpreter is one that Celeriac supports."""
    have = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < _OLDEST_PYTHON:
        return fail(
            "Python", have, why="The code uses newer syntax.", way_out="Use Python 3.11 or newer."
        )
    return ok("Python", have)


def packages() -> Finding:
    """Each installed package has the version that the lock file names."""
    pins = _pins((settings.BASE_DIR / "requirements" / "base.txt").read_text())
    wrong = [
        f"{name} {have} instead of {pin}" for name, pin in pins if (have := _installed(name)) != pin
    ]
    if wrong:
        return warn(
            "Packages",
            f"{len(wrong)} of {len(pins)} differ from the lock file: {'; '.join(wrong[:5])}",
            why="Only the locked versions were tested together.",
            way_out="python -m pip install --require-hashes -r requirements/base.txt",
        )
    return ok("Packages", f"{len(pins)} as locked")


def disk() -> Finding:
    """There is room for logs, and for the data of the private servers."""
    place = _existing(settings.CELERIAC_HOME)
    free = shutil.disk_usage(place).free
    detail = f"{free // _MEGABYTE} MB free in {place}"
    if free >= _LITTLE:
        return ok("Disk", detail)
    report = fail if free < _TOO_LITTLE else warn
    return report(
        "Disk",
        detail,
        why="Without room the private servers stop taking jobs, and logs end.",
        way_out="Make room there, or move CELERIAC_HOME to a larger disk.",
    )


def private_files() -> Finding:
    """Nobody else on this machine can read the files that hold secrets."""
    home = settings.CELERIAC_HOME
    files = [settings.BASE_DIR / ".env", *(home / name for name in _SECRET_FILES)]
    open_ones = [str(path) for path in files if _is_open(path)]
    if open_ones:
        return fail(
            "Secrets",
            f"other users of this machine can read {', '.join(open_ones)}",
            why="Keys and passwords stand in there.",
            way_out=f"chmod 600 {' '.join(open_ones)}",
        )
    return ok("Secrets", "their files are for their owner alone")


def files() -> Finding:
    """Files that are handed in can be written where FILES_DIR says."""
    try:
        with TemporaryFile(dir=_existing(Path(settings.FILES_DIR))):
            return ok("Files", f"can be written to {settings.FILES_DIR}")
    except OSError as error:
        return fail(
            "Files",
            f"{settings.FILES_DIR}: {error.strerror}",
            why="Files that are handed in, and those that jobs make, cannot be kept.",
            way_out="Let the user of web and workers write there "
            f"(chown {os.geteuid()} {settings.FILES_DIR}), or set FILES_DIR to another directory.",
        )


def _existing(path: Path) -> Path:
    return next(one for one in (path, *path.parents) if one.exists())


def _is_open(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return bool(stat.S_IMODE(mode) & 0o077)


def _pins(lock: str) -> list[tuple[str, str]]:
    """(name, version) of each line of a lock file that applies to this machine."""
    lines = [line.removesuffix("\\").strip() for line in lock.splitlines()]
    requirements = [Requirement(line) for line in lines if line and line[0].isalnum()]
    return [
        (requirement.name, next(iter(requirement.specifier)).version)
        for requirement in requirements
        if requirement.marker is None or requirement.marker.evaluate()
    ]


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(missing)"

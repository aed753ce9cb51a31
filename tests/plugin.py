"""Gives every test run its own PostgreSQL and Valkey, before Django's settings are read.

The servers are watched over by a process of their own that ends them when this one ends, however
it ends. They listen on free loopback ports and keep their data in a temporary `CELERIAC_HOME`.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from config.embedded import ports

_ROOT = Path(__file__).resolve().parent.parent
# Tests kill processes, and what these gave to the system is kept. That it reaches the disk matters
# where the power fails, and waiting for it was a fifth of the time of a run.
_POSTGRES = ["fsync=off"]
_KEEPER = pytest.StashKey[subprocess.Popen[str]]()
# What a developer's own environment may carry and a test must not depend on.
_READ = re.compile(r"""env\.\w+\(\s*"([A-Z][A-Z0-9_]+)\"""")  # a setting, where it is read


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, args: list[str]
) -> Generator[None, None, None]:
    """Runs around pytest-django's hook of that name, which loads the settings."""
    _take_ports_of_its_own()
    if not {"--help", "-h", "--version", "-V"}.intersection(args):
        early_config.stash[_KEEPER] = _start()
    return (yield)


def pytest_unconfigure(config: pytest.Config) -> None:
    keeper = config.stash.get(_KEEPER, None)
    if keeper is not None:
        keeper.communicate()  # closes its input, which tells it to stop, and waits until it has


def _take_ports_of_its_own() -> None:
    """A port is picked long before a program of a test listens on it: no other part of the run is
    to pick the same."""
    if part := os.environ.get("PYTEST_XDIST_WORKER"):
        parts = int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
        ports._RANGE = ports._RANGE[int(part.removeprefix("gw")) :: parts]


def _start() -> subprocess.Popen[str]:
    home = Path(tempfile.mkdtemp(prefix="celeriac-test-"))
    home.chmod(0o711)  # as root the servers run as another user, who has to pass through
    _compile_once(home / "compiled")
    keeper = subprocess.Popen(
        [sys.executable, "-m", "config.embedded.keeper", str(home), *_POSTGRES],
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # out of reach of the terminal's Ctrl-C
    )
    assert keeper.stdout is not None
    answer = json.loads(keeper.stdout.readline() or '{"error": "the servers\' keeper died"}')
    if "error" in answer:
        keeper.communicate()
        shutil.rmtree(home, ignore_errors=True)
        raise pytest.UsageError(answer["error"])
    for name in _settings():
        os.environ.pop(name, None)
        os.environ.pop(f"{name}_FILE", None)
    # The parts of a run share the one that its main process names, which ends last.
    os.environ.setdefault("CELERIAC_FIRST_ARENA", str(home / "arena"))
    os.environ.update(
        answer,
        CELERIAC_HOME=str(home),
        SECRET_KEY="a key for tests only, long enough to be legal",
        RATE_LIMIT_ENABLED="0",
    )
    return keeper


def _compile_once(place: Path) -> None:
    """Where the environment forbids to keep compiled code, each of the many hundred programs of a
    run would compile all it imports, four fifths of its start: here they share it, in `place`."""
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
        os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix = str(place)
        sys.dont_write_bytecode = False


def _settings() -> set[str]:
    """The name of every setting: what a developer has set for himself is none of the tests'."""
    sources = (Path(__file__).parent.parent / "config").glob("**/*.py")
    return {name for source in sources for name in _READ.findall(source.read_text("utf-8"))}

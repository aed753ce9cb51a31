"""Makes and enters the virtual environment beside `manage.py`. Standard library only.

Nothing of ours or of Django's can be imported here: it may not be installed yet.
"""

import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_RUN = ("base", "jobs", "servers")
_DEVELOP = (*_RUN, "dev")
_NEEDS_DEVELOP = frozenset({"test", "check_code"})


def enter_environment(arguments: Sequence[str]) -> None:
    """Return inside an interpreter that has what the command needs, or explain and exit.

    Outside a virtual environment the process goes on as `.venv/bin/python`, which is made or
    brought up to the lock files first. An active virtual environment is somebody's choice: it is
    used as it is, and so is any interpreter where CELERIAC_NO_BOOTSTRAP=1.
    """
    layers = layers_for(arguments)
    if sys.prefix != sys.base_prefix or os.environ.get("CELERIAC_NO_BOOTSTRAP") == "1":
        _require_installed(layers)
        return
    environment = Environment(ROOT / ".venv", ROOT / "requirements")
    environment.ensure(layers)
    os.execv(environment.python, [str(environment.python), *sys.orig_argv[1:]])  # noqa: S606


def layers_for(arguments: Sequence[str]) -> tuple[str, ...]:
    """The requirement layers that a command needs."""
    return _DEVELOP if arguments and arguments[0] in _NEEDS_DEVELOP else _RUN


class Environment:
    """A virtual environment with the locked requirements.

    `installed.json` inside it maps a set of layers to the digest of the lock files it was installed
    from. A marker stands beside it while an installation goes on, so that one which was cut off is
    thrown away instead of being taken for finished.
    """

    def __init__(self, directory: Path, requirements: Path) -> None:
        self.directory = directory
        self.python = directory / "bin" / "python"
        self._requirements = requirements
        self._stamps = directory / "installed.json"
        self._marker = directory.with_name(f"{directory.name}.unfinished")

    def ensure(self, layers: tuple[str, ...]) -> None:
        """Make the environment hold `layers`; quick when it already does."""
        if self.is_current(layers):
            return
        with _locked(self._requirements / "base.txt"):
            if not self.is_current(layers):  # another start may have done it meanwhile
                _say("Installing the requirements into .venv; this takes about a minute.")
                self._install(layers)

    def is_current(self, layers: tuple[str, ...]) -> bool:
        """Whether these layers, or more, were installed from the lock files as they are now."""
        if self._marker.exists() or not self.python.exists():
            return False
        stamps = self._read_stamps()
        return any(
            stamps.get("+".join(wider)) == self.digest(wider)
            for wider in (_RUN, _DEVELOP)
            if set(layers) <= set(wider)
        )

    def digest(self, layers: tuple[str, ...]) -> str:
        """SHA-256 over the lock files of `layers`."""
        whole = hashlib.sha256()
        for path in self._locks(layers):
            whole.update(path.read_bytes())
        return whole.hexdigest()

    def _install(self, layers: tuple[str, ...]) -> None:
        if self._marker.exists() or not self.python.exists():
            shutil.rmtree(self.directory, ignore_errors=True)
        self._marker.touch()
        if not self._install_with_uv(layers):
            self._install_with_pip(layers)
        self._stamps.write_text(
            json.dumps({**self._read_stamps(), "+".join(layers): self.digest(layers)})
        )
        self._marker.unlink()

    def _install_with_uv(self, layers: tuple[str, ...]) -> bool:
        """Whether uv is there and did it. It may know another package index than pip does."""
        uv = shutil.which("uv")
        if not uv:
            return False
        make = [uv, "venv", "--quiet", "--python", sys.executable, str(self.directory)]
        if not self.python.exists() and not _succeeds(make):
            return False
        install = [uv, "pip", "install", "--require-hashes", *self._options(layers)]
        return _succeeds([*install, "--quiet", "--python", str(self.python)])

    def _install_with_pip(self, layers: tuple[str, ...]) -> None:
        pip = self._pip()
        install = ["install", "-qq", "--disable-pip-version-check", "--no-input"]
        command = [*pip, *install, "--require-hashes", *self._options(layers)]
        if subprocess.run(command, check=False).returncode != 0:
            sys.exit(
                "The requirements could not be installed; pip says why above. "
                "Nothing was started; the next start tries again."
            )

    def _pip(self) -> list[str]:
        """The command of a pip that installs into the environment, which is made if missing."""
        make = [sys.executable, "-m", "venv", str(self.directory)]
        # Debian ships Python without ensurepip; a pip outside can still install into it.
        if not self.python.exists() and not _succeeds(make):
            _succeeds([*make, "--clear", "--without-pip"])
        inside = [str(self.python), "-m", "pip"]
        outside = [sys.executable, "-m", "pip", "--python", str(self.python)]
        for pip in (inside, outside):
            if self.python.exists() and _succeeds([*pip, "--version"]):
                return pip
        sys.exit(
            "This Python can make no virtual environment and has no pip. Install one of: "
            "uv, or the package python3-venv (Debian, Ubuntu), or pip; then start again."
        )

    def _options(self, layers: tuple[str, ...]) -> list[str]:
        return [part for lock in self._locks(layers) for part in ("-r", str(lock))]

    def _locks(self, layers: tuple[str, ...]) -> list[Path]:
        return [self._requirements / f"{layer}.txt" for layer in layers]

    def _read_stamps(self) -> dict[str, str]:
        try:
            return dict(json.loads(self._stamps.read_text()))
        except (FileNotFoundError, ValueError):
            return {}


def _require_installed(layers: tuple[str, ...]) -> None:
    needed = ["django", *(["pytest"] if "dev" in layers else [])]
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        files = " ".join(f"-r requirements/{layer}.txt" for layer in layers)
        sys.exit(
            f"{' and '.join(missing)} cannot be imported by {sys.executable}. Install the "
            f"requirements into it:\n\n    python -m pip install --require-hashes {files}\n\n"
            "or leave the virtual environment: outside of one, manage.py makes its own."
        )


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Hold an exclusive lock on `file`; the system lets go of it when this process ends."""
    with file.open("rb") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _succeeds(command: Sequence[str]) -> bool:
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")

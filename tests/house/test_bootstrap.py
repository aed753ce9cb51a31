"""manage.py makes its own environment, once, whole, and only where nobody chose another."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from config.bootstrap import ROOT, Environment, layers_for

RUN = ("base", "jobs", "servers")
DEVELOP = ("base", "jobs", "servers", "dev")

# Stands in for uv: makes what uv would make, and writes down what it was asked.
FAKE_UV = """#!/bin/sh
echo "$1" >> "{calls}"
if [ "$1" = venv ]; then
    for directory; do :; done
    mkdir -p "$directory/bin" && touch "$directory/bin/python"
fi
"""

DEBIANS_PYTHON = """#!/bin/sh
case "$*" in
    *--without-pip*) ;;
    "-m venv "*) echo "ensurepip is not available" >&2; exit 1 ;;
esac
exec {python} "$@"
"""


@pytest.fixture
def requirements(tmp_path: Path) -> Path:
    directory = tmp_path / "requirements"
    directory.mkdir()
    for layer in DEVELOP:
        (directory / f"{layer}.txt").write_text(f"{layer}==1\n")
    return directory


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the stand-in for uv was asked, one word a line."""
    written = tmp_path / "calls"
    program = tmp_path / "bin" / "uv"
    program.parent.mkdir()
    program.write_text(FAKE_UV.format(calls=written))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    return written


@pytest.fixture
def environment(tmp_path: Path, requirements: Path, calls: Path) -> Environment:
    return Environment(tmp_path / ".venv", requirements)


@pytest.mark.parametrize(
    ("arguments", "layers"),
    [
        ([], RUN),
        (["demo", "--exit"], RUN),
        (["migrate"], RUN),
        (["test", "-x"], DEVELOP),
        (["check_code"], DEVELOP),
    ],
)
def test_only_the_developers_commands_install_the_developers_tools(
    arguments: list[str], layers: tuple[str, ...]
) -> None:
    assert layers_for(arguments) == layers


def test_a_second_start_installs_nothing(environment: Environment, calls: Path) -> None:
    environment.ensure(RUN)
    environment.ensure(RUN)
    assert calls.read_text().split() == ["venv", "pip"]


def test_the_tests_add_to_what_the_demo_installed(environment: Environment, calls: Path) -> None:
    environment.ensure(RUN)
    environment.ensure(DEVELOP)
    environment.ensure(RUN)
    assert calls.read_text().split() == ["venv", "pip", "pip"]


def test_a_changed_lock_file_is_installed_into_the_same_environment(
    environment: Environment, calls: Path, requirements: Path
) -> None:
    environment.ensure(DEVELOP)
    (requirements / "base.txt").write_text("base==2\n")
    environment.ensure(RUN)
    assert not environment.is_current(DEVELOP)
    assert calls.read_text().split() == ["venv", "pip", "pip"]


def test_an_installation_that_was_cut_off_is_made_again_from_nothing(
    environment: Environment, tmp_path: Path, calls: Path
) -> None:
    environment.ensure(RUN)
    (tmp_path / ".venv.unfinished").touch()  # what a killed installation leaves
    half_installed = environment.directory / "half-installed"
    half_installed.touch()

    assert not environment.is_current(RUN)
    environment.ensure(RUN)
    assert environment.is_current(RUN)
    assert not half_installed.exists()


def test_starts_at_the_same_moment_install_once(
    tmp_path: Path, requirements: Path, calls: Path
) -> None:
    def start(_: int) -> None:
        Environment(tmp_path / ".venv", requirements).ensure(RUN)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(start, range(8)))
    assert calls.read_text().split() == ["venv", "pip"]


def test_a_stamp_that_cannot_be_read_means_not_installed(environment: Environment) -> None:
    environment.ensure(RUN)
    (environment.directory / "installed.json").write_text('{"base+serv')
    assert not environment.is_current(RUN)


def test_without_django_a_chosen_environment_gets_the_command_and_no_traceback() -> None:
    result = subprocess.run(
        [sys.executable, "-S", str(ROOT / "manage.py"), "check"],  # -S: sees no installed package
        env={**os.environ, "CELERIAC_NO_BOOTSTRAP": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "python -m pip install --require-hashes -r requirements/base.txt" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_environment_module_needs_nothing_that_is_installed() -> None:
    code = "import json, sys, config.bootstrap; print(json.dumps(sorted(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in json.loads(result.stdout)}
    assert loaded <= {*sys.stdlib_module_names, "__main__", "config"}


@pytest.fixture
def python_without_ensurepip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python as Debian ships it: no pip in a new environment, but one outside; and no uv."""
    program = tmp_path / "python3"
    python = sys._base_executable  # type: ignore[attr-defined]  # not in typeshed
    program.write_text(DEBIANS_PYTHON.format(python=python))
    program.chmod(0o755)
    monkeypatch.setattr("config.bootstrap.sys.executable", str(program))
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.usefixtures("python_without_ensurepip")
def test_a_python_without_ensurepip_still_makes_an_environment(
    tmp_path: Path, requirements: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for layer in DEVELOP:
        (requirements / f"{layer}.txt").write_text("# nothing to install\n")
    environment = Environment(tmp_path / ".venv", requirements)
    environment.ensure(RUN)
    assert environment.is_current(RUN)

    (requirements / "base.txt").write_text("!\n")
    with pytest.raises(SystemExit, match="the next start tries again"):
        environment.ensure(RUN)
    assert not environment.is_current(RUN)
    assert "Invalid requirement" in capfd.readouterr().err

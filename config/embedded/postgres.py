"""A private PostgreSQL: made once, started as often as needed."""

import re
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg

from config.embedded.account import Account, own, owner_name, spawn
from config.embedded.exceptions import EmbeddedServerError, ForeignDataError, OtherVersionError
from config.embedded.ports import LOOPBACK, kept_port
from config.embedded.private_file import kept_secret, write_private
from config.embedded.programs import postgres_programs
from config.embedded.server import Server, running

_ROLE = "celeriac"
_DATABASE = "celeriac"


def prepare_postgres(home: Path, account: Account, **parameters: str) -> Server:
    """The private PostgreSQL below `home`, with its data directory made if it is missing.

    `parameters` are PostgreSQL's own, by name. The server listens on loopback only, has no local
    socket, and takes nobody without the password.

    Raises:
        EmbeddedServerError: it cannot run here; the text says what to do.
    """
    directory = home / "postgres"
    data = directory / "data"
    directory.mkdir(mode=0o711, exist_ok=True)
    directory.chmod(0o711)
    programs = postgres_programs(account, home)
    password = kept_secret(directory / "password")
    if not (data / "PG_VERSION").exists():
        _initialise(data, programs, account, password)
    _require_own(data, account)
    _require_same_version(data, programs)

    pid_file = data / "postmaster.pid"
    port = kept_port(directory / "port", in_use_by_us=running(pid_file, data) is not None)
    options = {
        "listen_addresses": LOOPBACK,
        "port": str(port),
        "unix_socket_directories": "",
        "timezone": "UTC",
        "log_timezone": "UTC",
        **parameters,
    }
    flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    return Server(
        name="postgres",
        argv=(str(programs / "postgres"), "-D", str(data), *flags),
        account=account,
        data=data,
        pid_file=pid_file,
        port=port,
        url=f"postgres://{_ROLE}:{password}@{LOOPBACK}:{port}/{_DATABASE}",
        setting="DATABASE_URL",
        stop_signal=signal.SIGINT,  # "fast": roll back what is open, write a checkpoint, end
        answers=_answers,
    )


def _initialise(data: Path, programs: Path, account: Account, password: str) -> None:
    """Make the cluster beside its final place and move it there whole.

    A start that was cut off half-way therefore leaves no data directory that looks finished.
    """
    workshop = data.with_name("making")
    _remove(workshop)
    workshop.mkdir()
    own(workshop, account, 0o700)
    password_file = workshop / "password"
    write_private(password_file, password)
    own(password_file, account, 0o600)
    argv = [
        str(programs / "initdb"),
        f"--pgdata={workshop / 'data'}",
        f"--username={_ROLE}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        "--data-checksums",
    ]
    with spawn(argv, account, output=subprocess.PIPE) as process:
        output, _ = process.communicate(timeout=120)
    if process.returncode != 0:
        raise EmbeddedServerError(f"initdb failed: {output.decode(errors='replace').strip()}")
    (workshop / "data").replace(data)
    _remove(workshop)


def _remove(directory: Path) -> None:
    if directory.exists():
        shutil.rmtree(directory)


def _require_own(data: Path, account: Account) -> None:
    if data.stat().st_uid != account.uid:
        raise ForeignDataError(data, owner_name(data), account.name)


def _require_same_version(data: Path, programs: Path) -> None:
    wrote = (data / "PG_VERSION").read_text().strip()
    text = subprocess.run(
        [str(programs / "postgres"), "--version"], capture_output=True, text=True, check=True
    ).stdout
    found = re.search(r"(\d+)", text)
    have = found[1] if found else text.strip()
    if wrote != have:
        raise OtherVersionError(data, wrote, have)


def _answers(url: str) -> bool:
    """Whether the server takes our password; the database is made on the first such answer."""
    try:
        with psycopg.connect(url, connect_timeout=2):
            return True
    except psycopg.OperationalError as error:
        if not _is_missing_database(error):
            return False
    return _make_database(url)


def _is_missing_database(error: psycopg.OperationalError) -> bool:
    # The error of a refused connection carries no SQLSTATE in libpq, only the server's words, and
    # those are in English because the server runs in the C locale.
    return f'database "{_DATABASE}" does not exist' in str(error)


def _make_database(url: str) -> bool:
    maintenance = url.removesuffix(_DATABASE) + "postgres"
    try:
        with psycopg.connect(maintenance, connect_timeout=2, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {_DATABASE}")
    except psycopg.errors.DuplicateDatabase:  # another start was faster
        return True
    except psycopg.OperationalError:
        return False
    return True

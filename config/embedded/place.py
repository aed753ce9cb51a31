"""Where the private servers keep their data."""

import hashlib
from pathlib import Path

from config.embedded.account import Account, can_enter
from config.embedded.exceptions import ClosedPlaceError

_ELSEWHERE = Path("/var/lib/celeriac")


def server_home(celeriac_home: Path, account: Account, elsewhere: Path = _ELSEWHERE) -> Path:
    """The directory of the servers that belong to `celeriac_home`, made on first use.

    1. What `celeriac_home`/server-home names, once it was written: data never move by themselves.
    2. `celeriac_home`/servers, where `account` can enter `celeriac_home`.
    3. A directory below `elsewhere`, named by the path of `celeriac_home`.

    No directory that was there before is opened up: its owner closed it for a reason.

    Raises:
        ClosedPlaceError: there are data, but `account` cannot reach them any more.
    """
    chosen = _chosen(celeriac_home, account, elsewhere)
    if not chosen.exists():
        _make(chosen)
    if not can_enter(account, chosen):
        raise ClosedPlaceError(chosen, account.name)
    return chosen


def _chosen(celeriac_home: Path, account: Account, elsewhere: Path) -> Path:
    note = celeriac_home / "server-home"
    if note.exists():
        return Path(note.read_text().strip())
    inside = celeriac_home / "servers"
    if inside.exists() or can_enter(account, celeriac_home):
        return inside
    name = hashlib.sha256(str(celeriac_home.resolve()).encode()).hexdigest()[:16]
    note.write_text(f"{elsewhere / name}\n")
    return elsewhere / name


def _make(directory: Path) -> None:
    for part in (directory.parent, directory):
        if not part.exists():
            part.mkdir(parents=True)
            part.chmod(0o711)  # ours, and just made: others pass through, and list nothing

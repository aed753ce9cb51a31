"""The key that signs sessions and encrypts secrets: given, or made once and kept."""

import os
import secrets
from pathlib import Path


def secret_key(given: str, home: Path) -> str:
    """`given` if it is not empty, else the key kept in `home`, made on first use.

    The file is created exclusively with mode 0600, so two processes that start at once agree on
    one key. Losing it makes encrypted job parameters unreadable and ends all sessions.
    """
    if given:
        return given
    path = home / "secret_key"
    if path.exists():
        return path.read_text()
    home.mkdir(mode=0o711, parents=True, exist_ok=True)  # passable: root lends the servers a user
    draft = path.with_name(f"secret_key.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(48))
    try:
        os.link(draft, path)  # atomic: the first one wins, and nobody reads half a key
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_text()

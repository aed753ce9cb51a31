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
    home.mkdir(mode=0o711, parents=True, exist_ok=True)  # passable: root lends the servers a user
    draft = path.with_name(f"secret_key.{os.getpid()}")
    draft.write_text(secrets.token_urlsafe(48))
    draft.chmod(0o600)
    try:
        os.link(draft, path)  # atomic: the first one wins, and nobody reads half a key
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_text()

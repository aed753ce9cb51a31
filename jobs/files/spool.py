"""Where a request's body waits on disk while it comes in."""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path
from typing import IO, cast

from django.conf import settings

BODY = "celeriac.body"  # under this key the scope of a request carries its spooled body
# This stands in the scope of one that is asked about with its headers alone.
QUESTION = "celeriac.would_take"
FRAMING = 64 * 1024  # what a form may have around its file
_IN_MEMORY = 256 * 1024
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def open_spool() -> IO[bytes]:
    """A file without a name: however the process ends, nothing is left of it.

    It lies in CELERIAC_HOME, since the system's directory for temporary files is often memory.
    """
    directory = Path(settings.CELERIAC_HOME) / "incoming"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, dir=str(directory))  # noqa: SIM115 (the caller closes it)
    return cast("IO[bytes]", made)


def is_full(error: OSError) -> bool:
    """Whether it says that the disk, or the share of it, is used up."""
    return error.errno in _FULL

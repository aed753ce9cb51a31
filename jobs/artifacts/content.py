"""An artifact as job code hands it over, taken in: bounded, its digest known, its name harmless."""

from __future__ import annotations

import io
import mimetypes
from typing import IO

from django.conf import settings
from django.core.files.base import File

from jobs.context import Content
from jobs.exceptions import ArtifactRefused
from jobs.files import names
from jobs.files.spool import open_spool
from jobs.files.storing import Incoming, incoming

_CHUNK = 256 * 1024


def taken_in(name: str, content: Content, content_type: str) -> Incoming:
    """A copy of the content, which its giver may close or change after that; a file is read from
    where it stands. Raises ArtifactRefused where there is too much of it."""
    if isinstance(content, str):
        content, content_type = content.encode(), content_type or _guessed(name) or "text/plain"
    if isinstance(content, bytes | bytearray | memoryview):
        file = _in_memory(content)
    else:
        file = _copied(content)
    return incoming(File(file), name=name, content_type=content_type or _guessed(name))


def _guessed(name: str) -> str:
    return mimetypes.guess_type(names.cleaned(name))[0] or ""


def _in_memory(content: bytes | bytearray | memoryview) -> IO[bytes]:
    _refuse_beyond(memoryview(content).nbytes)
    return io.BytesIO(content)


def _copied(content: IO[bytes]) -> IO[bytes]:
    spool, size = open_spool(), 0
    try:
        while chunk := content.read(_CHUNK):
            if not isinstance(chunk, bytes):
                raise TypeError("An artifact is read from a file that was opened in binary mode.")
            _refuse_beyond(size := size + len(chunk))
            spool.write(chunk)
    except BaseException:
        spool.close()
        raise
    spool.seek(0)
    return spool


def _refuse_beyond(size: int) -> None:
    if size > settings.ARTIFACT_MAX_BYTES:
        message = f"An artifact may have {settings.ARTIFACT_MAX_BYTES} bytes; this one has more."
        raise ArtifactRefused(message)

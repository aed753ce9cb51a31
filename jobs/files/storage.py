"""Where the bytes of handed-in files lie: the storage `files` of Django's settings."""

from __future__ import annotations

import os
from pathlib import Path

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, Storage, storages

STORAGE = "files"


def storage() -> Storage:
    return storages[STORAGE]


class DurableFileSystemStorage(FileSystemStorage):
    """A directory whose files are on the disk when `save` returns, as the rows that name them are:
    otherwise a power cut could leave a row that names an empty file."""

    def _save(self, name: str, content: File[bytes]) -> str:
        # The hook that Django documents for storages; its stubs leave it out.
        saved: str = super()._save(name, content)  # type: ignore[misc]
        path = Path(self.path(saved))
        for one in (path, path.parent):
            _flush(one)
        return saved


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

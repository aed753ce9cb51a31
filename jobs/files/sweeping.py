"""Removing files in time: expired ones, and bytes that no row names.

The row goes first and its bytes after the commit. A crash between the two leaves bytes without a
row, which nobody can see and `Orphans` removes; the other way round it would leave a file that is
there and cannot be read.
"""

from __future__ import annotations

import random
from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now
from django.utils import timezone

from jobs.files.shelf import FILES, Shelf
from jobs.models import FileUse, StoredFile
from jobs.states import ACTIVE

BATCH = 200
ORPHANED_AFTER = timedelta(hours=1)  # far longer than from a file's bytes to its row
SHARDS = 256

_NEEDED = FileUse.objects.filter(file=OuterRef("pk"), job__status__in=sorted(ACTIVE))


def sweep_expired() -> int:
    """Remove expired files that no unfinished job names. Returns how many."""
    with transaction.atomic():
        due = StoredFile.objects.filter(~Exists(_NEEDED), expires_at__lte=Now())
        locked = due.order_by("expires_at").select_for_update(skip_locked=True)[:BATCH]
        gone = remove_unneeded([file.pk for file in locked])
    return len(gone)


def remove_unneeded(locked: Collection[UUID]) -> list[str]:
    """Remove those of these files, whose rows are locked FOR UPDATE, that no unfinished job names.

    It looks after the lock, not with it: a job that was being handed in while the lock was asked
    for has been committed in between, and only a new statement sees it.
    """
    rows = list(StoredFile.objects.filter(~Exists(_NEEDED), pk__in=locked))
    ids, stored = [row.pk for row in rows], [row.storage_name for row in rows]
    FileUse.objects.filter(file__in=ids).delete()
    StoredFile.objects.filter(pk__in=ids).delete()
    transaction.on_commit(lambda: remove_bytes(stored))
    return stored


def remove_bytes(stored: Collection[str]) -> None:
    """Remove bytes that no row names. Where it fails they are left to `Orphans`."""
    FILES.remove(stored)


class Orphans:
    """Finds bytes without a row: a process died after it wrote them, or before it removed them.

    Each run looks through the next one of 256 directories, so it costs little however many files
    there are. A new process begins anywhere, so that short-lived ones also come to all of them.
    """

    def __init__(self, shelf: Shelf = FILES, *, first: int | None = None) -> None:
        self._shelf = shelf
        self._next = random.randrange(SHARDS) if first is None else first  # noqa: S311 (no secret)

    def run(self) -> int:
        directory = f"{self._next:02x}"
        self._next = (self._next + 1) % SHARDS
        old = self._shelf.names_before(directory, timezone.now() - ORPHANED_AFTER)
        orphans = self._shelf.without_row(old)
        self._shelf.remove(orphans)
        return len(orphans)

"""Bytes in a storage of Django's settings, under names of ours that rows keep.

The bytes are there before the row and go after it. A crash between the two leaves bytes that
nobody can name, which `jobs.files.sweeping.Orphans` removes; never a row without its bytes.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from django.core.files.base import File
from django.core.files.storage import Storage, storages

from accounts.ids import new_id
from jobs.models import Artifact, StoredFile

logger = logging.getLogger(__name__)


@dataclass(kw_only=True)
class Bytes:
    """What lies in the storage under `name`. Set `is_named` with the row, before the commit."""

    name: str
    is_named: bool = field(default=False)


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """A storage by its alias, and the model whose `storage_name` says what lies there."""

    alias: str
    rows: type[StoredFile | Artifact]

    @property
    def storage(self) -> Storage:
        return storages[self.alias]

    def put(self, content: File[bytes]) -> str:
        """Write the bytes, and return their name. Raises OSError; then nothing is left of them."""
        token = new_id().hex
        name = f"{token[-2:]}/{token}"
        try:
            return self.storage.save(name, content)
        except BaseException:
            self.remove([name])
            raise

    @contextmanager
    def holding(self, content: File[bytes]) -> Iterator[Bytes]:
        """Write the bytes; inside, a row may name them.

        Where the block fails before one does they are removed again. Later nobody knows whether the
        row was committed, for the job's end may come at any moment, also while the connection
        breaks or after the commit: then they stay, and the sweep finds out.
        """
        held = Bytes(name=self.put(content))
        try:
            yield held
        except BaseException:
            if not held.is_named:
                self.remove([held.name])
            raise

    def remove(self, names: Collection[str]) -> None:
        """Remove bytes that no row names. Where it fails they are left to `Orphans`."""
        try:
            if not self._removed_together(names):
                self._remove_each(names)
        except OSError as error:
            text = "the storage %r failed, and bytes that nobody needs stay for now: %s"
            logger.warning(text, self.alias, error)

    def _removed_together(self, names: Collection[str]) -> bool:
        together = getattr(self.storage, "delete_many", None)
        if together is None or len(names) < 2:
            return False
        try:
            together(list(names))
        except NotImplementedError:  # not every storage that speaks like S3 knows this request
            logger.warning("the storage %r removes one at a time", self.alias)
            return False
        return True

    def _remove_each(self, names: Collection[str]) -> None:
        for name in names:
            try:
                self.storage.delete(name)
            except TimeoutError:  # it would be the same with the others, each after a while
                raise
            except OSError:
                logger.exception("bytes that are no longer needed stay for now: %s", name)

    def names_before(self, directory: str, moment: datetime) -> list[str]:
        """What lies in a directory of the storage and was written before then."""
        at_once = getattr(self.storage, "names_before", None)
        if at_once is not None:
            found: list[str] = at_once(directory, moment)
            return found
        try:
            _, names = self.storage.listdir(directory)
            paths = [f"{directory}/{name}" for name in names]
            return [path for path in paths if self.storage.get_modified_time(path) < moment]
        except FileNotFoundError:  # nothing was stored there yet, or it went while we looked
            return []

    def without_row(self, names: Collection[str]) -> set[str]:
        rows = self.rows._default_manager.filter(storage_name__in=names)
        return set(names) - set(rows.values_list("storage_name", flat=True))


FILES = Shelf(alias="files", rows=StoredFile)
ARTIFACTS = Shelf(alias="artifacts", rows=Artifact)

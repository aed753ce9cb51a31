"""What the leading dispatcher removes: old rows, and bytes in the storages that nobody needs.

All of it may wait for a storage, so it is done apart from what jobs wait for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from jobs.dispatcher.every import Every
from jobs.files import sweeping
from jobs.files.shelf import ARTIFACTS, FILES
from jobs.retention import Retention

FILES_SECONDS = 10.0


class Removals:
    def __init__(self) -> None:
        self._retention = Retention()
        self._orphans = [sweeping.Orphans(shelf) for shelf in (FILES, ARTIFACTS)]
        self._files_at = Every(FILES_SECONDS)

    def due(self) -> Iterator[Callable[[], int]]:
        """The steps of this second; one that fails keeps none of the others."""
        if self._files_at.is_due():
            yield sweeping.sweep_expired
            for orphans in self._orphans:
                yield orphans.run
        yield self._retention.run

"""ZIP archives of strangers: counted and measured before anything in them is unpacked."""

import zlib
from io import BytesIO
from itertools import pairwise
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from workloads.documents.errors import (
    DangerousDocument,
    EncryptedDocument,
    OversizedDocument,
    UnreadableDocument,
)
from workloads.documents.limits import Limits

_ENCRYPTED = 0x1
_MEGABYTE = 1_000_000
_LOCAL_HEADER = 30


class Archive:
    """An archive within the limits. What an entry says of its size is true: `ZipFile` unpacks no
    more than that, and then finds the checksum wrong."""

    def __init__(self, content: bytes, limits: Limits) -> None:
        self._limits = limits
        try:
            self._zip = ZipFile(BytesIO(content))
        except (BadZipFile, NotImplementedError, ValueError, OSError) as error:
            raise UnreadableDocument(reason="damaged archive") from error
        self._entries = {entry.filename: entry for entry in self._zip.infolist()}
        self._refuse_bombs(self._zip.infolist())

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._entries)

    def read(self, name: str) -> bytes:
        """The unpacked entry; `UnreadableDocument` if it is missing or damaged."""
        entry = self._entries.get(name)
        if entry is None:
            raise UnreadableDocument(f"A part of the document is missing: {name}.", part=name)
        if entry.flag_bits & _ENCRYPTED:
            raise EncryptedDocument
        if entry.file_size > self._limits.part_bytes:
            raise OversizedDocument("A part of the document is too large.", limit="part_bytes")
        if entry.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
            raise UnreadableDocument(reason="unusual compression")
        try:
            return self._zip.read(entry)
        except (BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
            raise UnreadableDocument(
                f"A part of the document is damaged: {name}.", part=name
            ) from error

    def _refuse_bombs(self, entries: list[ZipInfo]) -> None:
        if len(entries) > self._limits.archive_entries:
            raise OversizedDocument("The document has too many parts.", limit="archive_entries")
        if sum(entry.file_size for entry in entries) > self._limits.archive_bytes:
            raise OversizedDocument("The document is too large unpacked.", limit="archive_bytes")
        if any(self._is_packed_too_well(entry) for entry in entries):
            raise DangerousDocument(
                "The document is packed as only an archive bomb is.", limit="compression_ratio"
            )
        if _overlapping(entries):
            raise DangerousDocument("Parts of the document overlap in its archive.")

    def _is_packed_too_well(self, entry: ZipInfo) -> bool:
        most = self._limits.compression_ratio * max(entry.compress_size, 1)
        return entry.file_size > max(_MEGABYTE, most)


def _overlapping(entries: list[ZipInfo]) -> bool:
    """Whether two entries share packed bytes, by which a small file unpacks to a huge one."""
    in_order = sorted(entries, key=lambda entry: entry.header_offset)
    return any(
        one.header_offset + _LOCAL_HEADER + one.compress_size > other.header_offset
        for one, other in pairwise(in_order)
    )

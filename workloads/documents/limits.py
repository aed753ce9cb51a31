"""How much one document may cost."""

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The kernel keeps those on the process, the parent the wall time, the readers the others."""

    memory_bytes: int = 512 * MIB
    cpu_seconds: int = 30
    wall_seconds: float = 60.0
    open_files: int = 32
    file_bytes: int = 64 * MIB
    text_characters: int = 5_000_000  # what goes beyond is left out with a warning
    archive_entries: int = 5_000
    archive_bytes: int = 200_000_000  # of all entries, unpacked
    part_bytes: int = 50_000_000  # of one entry that is read, unpacked
    compression_ratio: int = 200  # of entries above a megabyte; prose packs about 4 to 1
    depth: int = 200  # of elements in XML and HTML
    pages: int = 2_000  # what goes beyond is left out with a warning

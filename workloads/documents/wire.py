"""What parent and child say to each other: one JSON line and the file, then one JSON answer.

The child has read a stranger's document, so the parent believes it no more than its form.
"""

import json
from dataclasses import asdict
from typing import IO, Any, get_args

from workloads.documents.block import Block, Kind, Opened
from workloads.documents.errors import (
    BY_NAME,
    DocumentError,
    ReaderUnavailable,
    UnreadableDocument,
)
from workloads.documents.limits import Limits
from workloads.documents.source import SourceDocument

OUT_OF_MEMORY = 71
"""The exit status of a child that had no memory left for an answer."""

_KINDS = frozenset(get_args(Kind))


def write_request(stream: IO[bytes], source: SourceDocument, limits: Limits, parent: int) -> None:
    """What the child reads from its input."""
    header = {
        "name": source.name,
        "content_type": source.content_type,
        "limits": asdict(limits),
        "parent": parent,
    }
    stream.write(json.dumps(header).encode() + b"\n")
    stream.write(source.content)


def read_header(stream: IO[bytes]) -> dict[str, Any]:
    """The first line of a request; the file follows it."""
    return dict(json.loads(stream.readline()))


def found(opened: Opened) -> dict[str, Any]:
    """The answer of a child that could read the document."""
    blocks = [[block.kind, block.text, block.level, block.lines] for block in opened.blocks]
    return {"blocks": blocks, "title": opened.title, "warnings": list(opened.warnings)}


def refused(error: DocumentError) -> dict[str, Any]:
    """The answer of a child that could not."""
    return {"error": type(error).__name__, "message": str(error), "data": error.data}


def unavailable(reason: str) -> dict[str, Any]:
    """The answer of a child that is not whole itself."""
    return {"unavailable": reason}


def understood(answer: bytes) -> Opened:
    """What the child found; raises what it raised."""
    try:
        said = json.loads(answer)
        if "unavailable" in said:
            raise ReaderUnavailable(str(said["unavailable"]))
        if "error" in said:
            raise BY_NAME[said["error"]](str(said["message"]), **said["data"])
        return Opened(
            blocks=tuple(_block(*block) for block in said["blocks"]),
            title=None if said["title"] is None else str(said["title"]),
            warnings=tuple(map(str, said["warnings"])),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableDocument(reason="the reader gave no proper answer") from error


def _block(kind: Kind, text: str, level: int, lines: int) -> Block:
    if kind not in _KINDS:
        raise ValueError(kind)
    return Block(kind=kind, text=str(text), level=int(level), lines=int(lines))

"""The child: confines itself, reads one document from its input, answers in JSON, ends.

Run as `python -m workloads.documents.child` by `opening.py`, and by nobody else. No Django here.
"""

import json
import logging
import os
import sys
from typing import Any

from workloads.documents import wire
from workloads.documents.confinement import confine
from workloads.documents.errors import DocumentError, OversizedDocument, UnreadableDocument
from workloads.documents.limits import Limits
from workloads.documents.source import SourceDocument


def main() -> None:
    """Answer the one request."""
    header = wire.read_header(sys.stdin.buffer)
    limits = Limits(**header["limits"])
    confine(limits, parent=header["parent"])
    answer_to = os.dup(1)
    os.dup2(2, 1)  # a library that prints does not spoil the answer
    logging.disable(logging.CRITICAL)
    answer = _answer(header, limits)
    with os.fdopen(answer_to, "w", encoding="utf-8", errors="replace") as stream:
        json.dump(answer, stream, ensure_ascii=False)


def _answer(header: dict[str, Any], limits: Limits) -> dict[str, Any]:
    """Libraries raise what they like on a broken document, so everything is caught here."""
    try:
        from workloads.documents.reader import read_document

        source = SourceDocument(
            name=header["name"],
            content_type=header["content_type"],
            content=sys.stdin.buffer.read(),
        )
        return wire.found(read_document(source, limits))
    except DocumentError as error:
        return wire.refused(error)
    except MemoryError:
        raise  # the status tells of it
    except RecursionError:
        return wire.refused(OversizedDocument("The document is nested too deep.", limit="depth"))
    except ImportError as error:
        return wire.unavailable(f"A library to read documents is missing: {error.name}.")
    except Exception as error:  # noqa: BLE001
        return wire.refused(UnreadableDocument(reason=type(error).__name__))


if __name__ == "__main__":
    try:
        main()
    except MemoryError:  # there may be none left to say so in words
        os._exit(wire.OUT_OF_MEMORY)

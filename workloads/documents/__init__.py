"""Documents of strangers to blocks of text, opened in a short-lived process of their own.

The worker never parses a document: a child process with an empty environment and little memory,
time and room does, and says in JSON what it found. Heavy libraries are imported there only.
"""

from workloads.documents.block import Block, Opened
from workloads.documents.errors import (
    DangerousDocument,
    DocumentError,
    EmptyDocument,
    EncryptedDocument,
    OversizedDocument,
    ReaderUnavailable,
    UnreadableDocument,
    UnsupportedDocument,
)
from workloads.documents.limits import Limits
from workloads.documents.opening import open_document
from workloads.documents.source import SourceDocument

__all__ = [
    "Block",
    "DangerousDocument",
    "DocumentError",
    "EmptyDocument",
    "EncryptedDocument",
    "Limits",
    "Opened",
    "OversizedDocument",
    "ReaderUnavailable",
    "SourceDocument",
    "UnreadableDocument",
    "UnsupportedDocument",
    "open_document",
]

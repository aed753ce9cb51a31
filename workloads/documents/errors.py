"""Why a document could not be opened.

    DocumentError                no attempt can open it
    ├── EmptyDocument            no text in it
    ├── UnreadableDocument       damaged, cut off, or no text at all
    ├── UnsupportedDocument      of a kind that is not read here
    ├── EncryptedDocument        closed by a password
    ├── OversizedDocument        beyond a limit, which `data` names
    └── DangerousDocument        built to do harm, or as if it were
    ReaderUnavailable            the reader is broken, not the document: another attempt may help

The docstring of each is its message unless a better one is given.
"""

from typing import Any


class DocumentError(Exception):
    """The document cannot be read."""

    def __init__(self, message: str = "", **data: Any) -> None:
        super().__init__(message or (self.__doc__ or "").strip())
        self.data = data


class EmptyDocument(DocumentError):
    """The document contains no text to take notes of."""


class UnreadableDocument(DocumentError):
    """The file is damaged or incomplete and cannot be read."""


class UnsupportedDocument(DocumentError):
    """Files of this kind cannot be read."""


class EncryptedDocument(DocumentError):
    """The document is protected by a password. Remove the protection and hand it in again."""


class OversizedDocument(DocumentError):
    """The document is too large to be read."""


class DangerousDocument(DocumentError):
    """The document contains what no honest document needs, and was not read."""


class ReaderUnavailable(Exception):
    """The document reader could not do its work."""


BY_NAME: dict[str, type[DocumentError]] = {
    kind.__name__: kind for kind in (DocumentError, *DocumentError.__subclasses__())
}

"""Documents that no attempt can make notes of. All are permanent.

DocumentError
├── EmptyDocument
└── UnreadableDocument
"""


class DocumentError(Exception):
    """The document cannot be made into notes."""


class EmptyDocument(DocumentError):
    """The document contains no text to take notes of."""


class UnreadableDocument(DocumentError):
    """The file is not text."""

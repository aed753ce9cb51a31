"""Bytes of a text file to clean text."""

import codecs
import re
import unicodedata
from dataclasses import dataclass

from workloads.documents.errors import UnreadableDocument

# Beyond this share of undecodable characters a file is not damaged text, it is something else.
MOST_DAMAGE = 0.2

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark is its beginning
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufeff]")


@dataclass(frozen=True, kw_only=True)
class DecodedText:
    """Text, and what a reader should know about how it was obtained."""

    text: str
    warnings: tuple[str, ...] = ()


def decode(content: bytes) -> DecodedText:
    """Text of a file in UTF-8, or in UTF-16 or UTF-32 with a byte order mark.

    Bytes that are none become U+FFFD with a warning; a file that mostly is not text raises
    `UnreadableDocument`.
    """
    text = content.decode(_encoding(content), errors="replace")
    damaged = text.count("\ufffd")
    if "\0" in text or damaged > MOST_DAMAGE * len(text):
        raise UnreadableDocument("The file is not text.")
    warnings = (f"{_characters(damaged)} could not be read and became \ufffd.",) if damaged else ()
    return DecodedText(text=clean(text), warnings=warnings)


def clean(text: str) -> str:
    """Composed characters, plain line ends, no control characters."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n")
    return unicodedata.normalize("NFC", _CONTROL.sub("", text))


def _encoding(content: bytes) -> str:
    return next((name for mark, name in _BYTE_ORDER_MARKS if content.startswith(mark)), "utf-8")


def _characters(count: int) -> str:
    return "1 character" if count == 1 else f"{count} characters"

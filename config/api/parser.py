"""Request bodies: the type, the size and the form are checked before a view sees them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser

from accounts.api.refusals import TooLarge
from config.api import strict_json
from config.api.sizes import longest_body


class StrictJSONParser(BaseParser):
    """`application/json`, in UTF-8, not compressed, as long as the call may have it."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        request = (parser_context or {})["request"]
        _refuse_encodings(request.headers, request.content_type)
        try:
            return strict_json.loads(_read(stream, request.META, longest_body(request.path)))
        except strict_json.NotStrictJSON as error:
            raise ParseError(f"The body is not strict JSON: {error}.") from None


def _refuse_encodings(headers: Mapping[str, str], content_type: str) -> None:
    encoding = headers.get("Content-Encoding", "identity")
    if encoding.strip().lower() != "identity":
        raise UnsupportedMediaType(encoding, "The body must not be compressed.")
    _, _, charset = content_type.lower().replace(" ", "").partition("charset=")
    if charset.partition(";")[0].strip('"') not in ("", "utf-8", "utf8"):
        raise UnsupportedMediaType(content_type, "JSON is UTF-8.")


def _read(stream: IO[Any], meta: Mapping[str, Any], limit: int) -> bytes:
    """The length is checked as announced, then as it is."""
    if int(meta.get("CONTENT_LENGTH") or 0) > limit:
        raise TooLarge(f"The body may have {limit} bytes.")
    data: bytes = stream.read(limit + 1)
    if len(data) > limit:
        raise TooLarge(f"The body may have {limit} bytes.")
    return data

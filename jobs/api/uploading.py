"""From the body of POST /files to the one file in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.utils.datastructures import MultiValueDict
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from accounts.api.refusals import FieldRefusal, TooLarge, Unprocessable
from jobs.files import multipart, spool
from jobs.files.multipart import Malformed, Part
from jobs.files.storing import Incoming, incoming
from jobs.files.stretch import Stretch

FIELD = "file"


class StorageFull(APIException):
    """There is no room for the file."""

    status_code = status.HTTP_507_INSUFFICIENT_STORAGE
    default_detail = "There is no room for the file."
    default_code = "storage_full"


class StorageAway(APIException):
    """The storage cannot be written to now."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "The file cannot be stored now. Try again."
    default_code = "storage_away"
    wait = 30


def storage_refusal(error: OSError) -> APIException:
    return StorageFull() if spool.is_full(error) else StorageAway()


class OneFile(BaseParser):
    """multipart/form-data with one file in it and nothing else.

    `request.data` is then what an idempotency key stands for, the file's name, type, size and
    digest and the owner asked for: boundaries differ from one request to the next. The file
    itself is the view's `received`; what the view is to close is its `spooled`.
    """

    media_type = "multipart/form-data"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        context = parser_context or {}
        request: Request = context["request"]
        _refuse_encodings(request)
        body = _body(request, stream, context["view"])
        part = _the_file(body, str(request.content_type))
        content = Stretch(body, part.start, part.size).as_file()
        file = incoming(content, name=part.filename or "", content_type=part.content_type)
        context["view"].received = file
        return {**facts(file), "owner": request.query_params.get("owner")}


def facts(file: Incoming) -> dict[str, Any]:
    return {
        "name": file.name,
        "size": file.size,
        "sha256": file.sha256,
        "content_type": file.content_type,
    }


def without_form_parsing(request: Any) -> None:
    """Keep Django's own parser from the body: the CSRF check of a browser session would look for
    its token there and use the body up. The token comes in its header."""
    request._post, request._files = MultiValueDict(), MultiValueDict()


def is_question(request: Request) -> bool:
    """Whether the web process only asks, before it reads the body, if the caller may send one."""
    return spool.QUESTION in _scope(request)


def is_spooled(request: Request) -> bool:
    """Whether it has asked, and this is the request with its body."""
    return spool.BODY in _scope(request)


def _scope(request: Request) -> Mapping[str, Any]:
    scope: Mapping[str, Any] = getattr(request._request, "scope", {})
    return scope


def _refuse_encodings(request: Request) -> None:
    encoding = request.headers.get("Content-Encoding", "identity")
    if encoding.strip().lower() != "identity":
        raise UnsupportedMediaType(encoding, "The body must not be compressed.")


def _body(request: Request, stream: IO[Any], view: Any) -> IO[bytes]:
    """The body on disk: the web process has spooled it before Django saw the request."""
    spooled: IO[bytes] | None = _scope(request).get(spool.BODY)
    return spooled if spooled is not None else _fill(view, stream)


def _fill(view: Any, stream: IO[bytes]) -> IO[bytes]:
    view.spooled = body = spool.open_spool()
    size = 0
    while chunk := stream.read(multipart.CHUNK):
        if (size := size + len(chunk)) > settings.FILES_MAX_BYTES + spool.FRAMING:
            raise _too_large()
        body.write(chunk)
    return body


def _the_file(body: IO[bytes], content_type: str) -> Part:
    try:
        parts = multipart.parts(body, content_type)
    except Malformed as error:
        raise ParseError(f"The body is not multipart/form-data: {error}.") from None
    refusals = [FieldRefusal(f"/{part.name}", "unknown field") for part in parts if not _fits(part)]
    files = [part for part in parts if _fits(part)]
    if len(files) != 1:
        refusals.append(FieldRefusal(f"/{FIELD}", "exactly one file is needed"))
    elif files[0].size == 0:
        refusals.append(FieldRefusal(f"/{FIELD}", "is empty"))
    if refusals:
        raise Unprocessable(refusals)
    if files[0].size > settings.FILES_MAX_BYTES:
        raise _too_large()
    return files[0]


def _fits(part: Part) -> bool:
    return part.name == FIELD and part.filename is not None


def _too_large() -> TooLarge:
    return TooLarge(f"A file may have {settings.FILES_MAX_BYTES} bytes.")

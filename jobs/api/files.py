"""POST /files; GET and DELETE /files/{id}."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import IO, Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from pydantic import BaseModel
from rest_framework import status
from rest_framework.exceptions import APIException, NotFound, ParseError, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import audit
from accounts.access import Access
from accounts.api.idempotency import Answer, once
from accounts.api.metering import Part
from accounts.api.moment import shown
from accounts.api.refusals import FieldRefusal, Unprocessable
from accounts.api.view import ApiView, address_of
from accounts.rate_limits.rates import CallKind
from accounts.scopes import Scope
from jobs.api import describing
from jobs.api.reach import as_id
from jobs.api.uploading import (
    FIELD,
    OneFile,
    is_question,
    is_spooled,
    storage_refusal,
    without_form_parsing,
)
from jobs.files.shelf import Bytes
from jobs.files.storing import Incoming, bytes_kept, keep
from jobs.files.sweeping import remove_bytes, remove_unneeded
from jobs.models import StoredFile
from jobs.options import MAX_KEY_LENGTH


class FileDocument(BaseModel):
    """A file that was handed in. `tenant` is there where all tenants were asked for."""

    id: UUID
    name: str
    size: int
    sha256: str
    content_type: str
    expires_at: datetime
    tenant: str | None = None


class FileInUse(APIException):
    """An unfinished job names the file."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = "A job that has not ended names this file."
    default_code = "file_in_use"


class FileRemoved(APIException):
    """The key's file has expired or was removed."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = (
        "The file of this Idempotency-Key is no more. Hand it in again under another key."
    )
    default_code = "file_removed"


_FORM = {
    "multipart/form-data": {
        "type": "object",
        "required": [FIELD],
        "properties": {FIELD: {"type": "string", "format": "binary", "minLength": 1}},
        "additionalProperties": False,
    }
}
_OWNER = OpenApiParameter(
    "owner",
    str,
    description="Whose file it is. Jobs of this owner may name it, and jobs without an owner."
    " Without: nobody's, and only jobs without an owner may name it. A token that is bound to an"
    " owner hands in that owner's files.",
)
_KEPT = OpenApiResponse(FileDocument, "The file; a payload names it by `file_id`.")


class FilesView(ApiView):
    scopes = {"POST": Scope.JOBS_WRITE}
    parameters = {"POST": frozenset({"owner"})}
    kinds = {"POST": CallKind.CREATE}
    keyed = True
    parser_classes = (OneFile,)
    received: Incoming | None = None
    spooled: IO[bytes] | None = None

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        without_form_parsing(request)
        return super().initialize_request(request, *args, **kwargs)

    @extend_schema(
        operation_id="create_file", tags=["files"], summary="Hand in a file for jobs to work on",
        parameters=[describing.CREATION[0], _OWNER, describing.WHERE], request=_FORM,
        responses={201: _KEPT},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        access, owner = self.access, _owner(request, self.access)
        if is_question(request):
            return Response(status=status.HTTP_204_NO_CONTENT)
        file = self._the_received(request)
        with _storage_faults_told(), bytes_kept(file) as kept:
            answer = once(request, access, lambda: _keep(file, kept, access, owner))
            _refuse_removed(answer, access)
        if answer.replayed:
            remove_bytes([kept.name])
        headers = {**answer.headers, "Location": f"{request.path}/{answer.body['id']}"}
        return Response(answer.body, status=answer.status, headers=headers)

    def part(self, request: Request) -> Part:
        if is_question(request):
            return Part.COSTLY_QUESTION
        return Part.COUNTED if is_spooled(request) else Part.WHOLE

    def finalize_response(self, *args: Any, **kwargs: Any) -> Response:
        if self.spooled is not None:
            self.spooled.close()
        response: Response = super().finalize_response(*args, **kwargs)
        return response

    def _the_received(self, request: Request) -> Incoming:
        _ = request.data  # reading it is what takes the file in
        if self.received is None:
            raise ParseError("The body is empty.")
        return self.received


class FileView(ApiView):
    scopes = {"GET": Scope.JOBS_READ, "DELETE": Scope.JOBS_WRITE}

    @extend_schema(
        operation_id="get_file", tags=["files"], summary="What is known of a file",
        responses=FileDocument,
    )  # fmt: skip
    def get(self, request: Request, file_id: str) -> Response:
        return Response(_document(_file_of(_files_of(self.access), file_id), self.access))

    @extend_schema(
        operation_id="delete_file", tags=["files"], summary="Remove a file that no job needs",
        responses={204: None},
    )  # fmt: skip
    def delete(self, request: Request, file_id: str) -> Response:
        with transaction.atomic():
            file = _file_of(_files_of(self.access).select_for_update(of=("self",)), file_id)
            if not remove_unneeded([file.pk]):
                raise FileInUse
            _record_removal(request, file, self.access)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _files_of(access: Access) -> QuerySet[StoredFile]:
    """Those that this request may see. An expired one is as good as gone."""
    rows: QuerySet[StoredFile] = access.narrow(StoredFile.objects.filter(expires_at__gt=Now()))
    return rows if access.tenant else rows.select_related("tenant")


def _file_of(rows: QuerySet[StoredFile], file_id: str) -> StoredFile:
    file = rows.filter(pk=as_id(file_id)).first()
    if file is None:
        raise NotFound
    return file


def _keep(file: Incoming, kept: Bytes, access: Access, owner: str) -> Answer:
    row = keep(
        file,
        kept,
        tenant=access.one_tenant,
        owner=owner,
        created_by=access.principal.actor,
    )
    return Answer(status=status.HTTP_201_CREATED, body=_document(row, access))


def _refuse_removed(answer: Answer, access: Access) -> None:
    """A replay must not name a file that is no more."""
    if answer.replayed and not _files_of(access).filter(pk=answer.body["id"]).exists():
        raise FileRemoved


def _document(file: StoredFile, access: Access) -> dict[str, Any]:
    document: dict[str, Any] = {
        "id": str(file.pk),
        "name": file.name,
        "size": file.size,
        "sha256": file.sha256,
        "content_type": file.content_type,
        "expires_at": shown(file.expires_at),
    }
    return document if access.tenant else {**document, "tenant": file.tenant.slug}


def _owner(request: Request, access: Access) -> str:
    asked, bound = request.query_params.get("owner"), access.principal.owner
    if bound and asked not in (None, bound):
        raise PermissionDenied("This token hands in files of its own owner only.")
    owner = bound or asked or ""
    if len(owner) > MAX_KEY_LENGTH or "\x00" in owner:
        raise Unprocessable([FieldRefusal("/owner", f"at most {MAX_KEY_LENGTH} characters")])
    return owner


def _record_removal(request: Request, file: StoredFile, access: Access) -> None:
    audit.record(
        actor=access.principal.actor,
        action="file.delete",
        object_type="file",
        object_id=file.pk,
        tenant=access.one_tenant,
        address=address_of(request),
        before={"name": file.name, "size": file.size, "sha256": file.sha256},
        after=None,
    )


@contextmanager
def _storage_faults_told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise storage_refusal(error) from error

"""GET /audit: who has changed what."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import QueryDict
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import BaseModel
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import trail
from accounts.access import Access
from accounts.api import describing, moment
from accounts.api.paging import PARAMETERS, page_of
from accounts.api.refusals import FieldRefusal, Unprocessable
from accounts.api.view import ApiView
from accounts.models import AuditEntry
from accounts.scopes import Scope

_EXACT = ("action", "actor", "object_type", "object_id")
_TIMES = {"created_after": "after", "created_before": "before"}


class AuditDocument(BaseModel):
    """One change. `actor` reads user:NAME, token:NAME or command:NAME; `before` and `after` are of
    the fields that differ. `tenant` is there where all tenants were asked for, null for the
    platform's own."""

    id: UUID
    created_at: datetime
    actor: str
    action: str
    object_type: str
    object_id: str
    address: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    tenant: str | None = None


class AuditPage(BaseModel):
    items: list[AuditDocument]
    next_cursor: str | None


class AuditView(ApiView):
    scopes = {"GET": Scope.AUDIT_READ}
    parameters = {"GET": PARAMETERS | set(_EXACT) | set(_TIMES)}

    @extend_schema(
        operation_id="list_audit_entries", tags=["accounts"],
        summary="The audit trail, newest first",
        description="Of the tenant; the platform's own are there where all tenants are asked for. "
        f"With several filters a page comes of {trail.WINDOW:,} entries looked through: it may "
        "have fewer items than asked, or none, and yet a `next_cursor`. Not for a token bound to "
        "an owner.",
        parameters=[
            *describing.PAGES,
            *(OpenApiParameter(name, str) for name in _EXACT),
            *(OpenApiParameter(name, OpenApiTypes.DATETIME) for name in _TIMES),
        ],
        responses=AuditPage,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        _refuse_owners(self.access)
        page = page_of(request, self.access)
        search = _asked(request.query_params, self.access)
        below = None if page.after is None else UUID(page.after)
        found = trail.find(search, below=below, most=page.limit + 1)
        named = self.access.tenant is None
        return Response(
            page.answer(
                found.entries,
                key=lambda entry: str(entry.pk),
                present=lambda entry: _document(entry, named=named),
                seen_to=found.seen_to and str(found.seen_to),
            )
        )


def _refuse_owners(access: Access) -> None:
    """An entry tells of objects of any owner, and has none itself."""
    if access.principal.owner:
        raise PermissionDenied("A token bound to an owner does not read the audit trail.")


def _asked(query: QueryDict, access: Access) -> trail.Search:
    """Raises Unprocessable with every filter that is wrong."""
    values: dict[str, Any] = {}
    refusals = []
    for name in (*_EXACT, *_TIMES):
        if name in query:
            try:
                values[name] = _value(name, query.getlist(name))
            except ValueError as error:
                refusals.append(FieldRefusal(f"/{name}", str(error)))
    if refusals:
        raise Unprocessable(refusals)
    return trail.Search(
        tenant=access.tenant,
        exact={name: values[name] for name in _EXACT if name in values},
        **{of: values.get(name) for name, of in _TIMES.items()},
    )


def _value(name: str, given: list[str]) -> str | datetime:
    if len(given) > 1:
        raise ValueError("stands more than once")
    if "\x00" in given[0]:
        raise ValueError("contains a NUL character")
    return moment.parsed(given[0]) if name in _TIMES else given[0]


def _document(entry: AuditEntry, *, named: bool) -> dict[str, Any]:
    document = {
        "id": str(entry.pk),
        "created_at": moment.shown(entry.at),
        "actor": entry.actor,
        "action": entry.action,
        "object_type": entry.object_type,
        "object_id": entry.object_id,
        "address": entry.address,
        "before": entry.before,
        "after": entry.after,
    }
    if named:
        document["tenant"] = entry.tenant.slug if entry.tenant else None
    return document

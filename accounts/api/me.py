"""GET /me: who the caller is, as Celeriac sees it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from drf_spectacular.utils import extend_schema
from pydantic import BaseModel
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.moment import shown
from accounts.api.view import ApiView
from accounts.principal import Kind
from accounts.scopes import Scope


class Me(BaseModel):
    """The caller. `tenant` is the one it acts for (null: all), `owner` the only one it sees.

    `tenants` are those of a signed-in member: who has several names one in `X-Tenant`, and has no
    scope without it. `token_id` and `expires_at` are of the token that was sent, null for a person
    and for the value of ADMIN_API_TOKEN; `plan` is the tenant's.
    """

    kind: Kind
    name: str
    actor: str
    tenant: str | None
    scopes: list[Scope]
    owner: str | None
    tenants: list[str]
    token_id: UUID | None
    expires_at: datetime | None
    plan: str | None


class MeView(ApiView):
    scopes = {"GET": None}
    for_undecided = True

    @extend_schema(operation_id="me", tags=["accounts"], summary="Who am I?", responses=Me)
    def get(self, request: Request) -> Response:
        principal, tenant = self.access.principal, self.access.tenant
        me = Me(
            kind=principal.kind,
            name=principal.name,
            actor=principal.actor,
            tenant=tenant.slug if tenant else None,
            scopes=sorted(principal.scopes),
            owner=principal.owner or None,
            tenants=list(principal.tenants),
            token_id=principal.token_id,
            expires_at=principal.expires_at,
            plan=tenant.plan_name if tenant else None,
        )
        document = me.model_dump(mode="json")
        return Response({**document, "expires_at": shown(me.expires_at)})

"""/tenants and /tenants/{slug}: a platform admin makes them, and sets their plans and limits."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import tenants
from accounts.api import describing
from accounts.api.bodies import body_of
from accounts.api.idempotency import Answer, once
from accounts.api.paging import PARAMETERS, page_of
from accounts.api.platform import require_platform_admin
from accounts.api.tenants_documents import (
    NewTenant,
    TenantChange,
    TenantDocument,
    TenantPage,
    tenant_document,
)
from accounts.api.view import ApiView, address_of
from accounts.models import Tenant
from accounts.scopes import Scope


class TenantsView(ApiView):
    scopes = {"GET": Scope.ADMIN, "POST": Scope.ADMIN}
    keyed = True
    parameters = {"GET": PARAMETERS}

    @extend_schema(
        operation_id="list_tenants", tags=["accounts"], summary="Tenants, newest first",
        description="For platform admins.", parameters=describing.PAGES, responses=TenantPage,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        require_platform_admin(self.access)
        page = page_of(request, self.access)
        rows = Tenant.objects.order_by("-pk")
        if page.after is not None:
            rows = rows.filter(pk__lt=page.after)
        return Response(
            page.answer(
                rows[: page.limit + 1], key=lambda tenant: tenant.pk, present=tenant_document
            )
        )

    @extend_schema(
        operation_id="create_tenant", tags=["accounts"], summary="Make a tenant",
        description="For platform admins. 409 where there is one of this slug.",
        parameters=[describing.IDEMPOTENCY_KEY], request=NewTenant,
        responses={201: TenantDocument},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        require_platform_admin(self.access)
        wish = body_of(NewTenant, request)

        def create() -> Answer:
            tenant = tenants.create(
                slug=wish.slug,
                name=wish.name,
                plan_name=wish.plan,
                limits=wish.limits,
                by=self.access.principal.actor,
                address=address_of(request),
            )
            tenant.refresh_from_db(fields=["created_at"])
            return Answer(status=status.HTTP_201_CREATED, body=tenant_document(tenant))

        answer = once(request, self.access, create)
        return Response(answer.body, status=answer.status, headers=answer.headers)


class TenantView(ApiView):
    scopes = {"GET": Scope.ADMIN, "PATCH": Scope.ADMIN}

    @extend_schema(
        operation_id="get_tenant", tags=["accounts"], summary="One tenant",
        description="For platform admins.", responses=TenantDocument,
    )  # fmt: skip
    def get(self, request: Request, slug: str) -> Response:
        require_platform_admin(self.access)
        return Response(tenant_document(_tenant_of(slug)))

    @extend_schema(
        operation_id="change_tenant", tags=["accounts"], summary="Change a tenant",
        description="For platform admins. Limits hold within seconds; jobs that run go on.",
        request=TenantChange, responses=TenantDocument,
    )  # fmt: skip
    def patch(self, request: Request, slug: str) -> Response:
        require_platform_admin(self.access)
        tenant, wish = _tenant_of(slug), body_of(TenantChange, request)
        changed = tenants.change(
            tenant,
            name=wish.name,
            plan_name=wish.plan,
            limits=wish.limits,
            by=self.access.principal.actor,
            address=address_of(request),
        )
        return Response(tenant_document(changed))


def _tenant_of(slug: str) -> Tenant:
    """Raises NotFound."""
    tenant = None if "\x00" in slug else Tenant.objects.filter(slug=slug).first()
    if tenant is None:
        raise NotFound
    return tenant

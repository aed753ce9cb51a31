"""GET and POST /tokens, DELETE /tokens/{id}: the rights of programs."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q, QuerySet
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import tokens
from accounts.access import Access
from accounts.api import describing
from accounts.api.bodies import body_of
from accounts.api.granting import granted, refuse_what_is_over
from accounts.api.idempotency import Answer, once
from accounts.api.paging import PARAMETERS, page_of
from accounts.api.path import as_id
from accounts.api.platform import is_platform_admin
from accounts.api.refusals import FieldRefusal, Unprocessable
from accounts.api.tokens_documents import IssuedTokenDocument, NewToken, TokenPage, token_document
from accounts.api.view import ApiView, address_of
from accounts.models import ApiToken
from accounts.scopes import Scope

_REVOKED = OpenApiParameter("revoked", bool, description="Those that are revoked; else the others.")


class TokensView(ApiView):
    scopes = {"GET": Scope.ADMIN, "POST": Scope.ADMIN}
    keyed = True
    parameters = {"GET": PARAMETERS | {"revoked"}}

    @extend_schema(
        operation_id="list_tokens", tags=["accounts"], summary="Tokens, newest first",
        description="Of the tenant. Platform tokens are there where all tenants are asked for.",
        parameters=[*describing.PAGES, _REVOKED], responses=TokenPage,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        page = page_of(request, self.access)
        rows = self.access.narrow(ApiToken.objects.select_related("tenant").order_by("-pk"))
        rows = rows.filter(revoked_at__isnull=not _wants_revoked(request))
        if page.after is not None:
            rows = rows.filter(pk__lt=UUID(page.after))
        named = self.access.tenant is None
        return Response(
            page.answer(
                rows[: page.limit + 1],
                key=lambda token: str(token.pk),
                present=lambda token: token_document(token, named=named),
            )
        )

    @extend_schema(
        operation_id="create_token", tags=["accounts"], summary="Make a token",
        description="`token` is in this answer and nowhere else. 403 for more than one's own: "
        "another owner, or a later end. 409 where a token of this name works.",
        parameters=[describing.IDEMPOTENCY_KEY], request=NewToken,
        responses={201: IssuedTokenDocument},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        wish = body_of(NewToken, request)
        rights = granted(wish, self.access)

        def create() -> Answer:
            refuse_what_is_over(wish)
            issued = tokens.issue(
                name=wish.name,
                issued_by=self.access.principal.actor,
                address=address_of(request),
                **rights,
            )
            issued.token.refresh_from_db(fields=["created_at"])
            return Answer(
                status=status.HTTP_201_CREATED,
                body={**token_document(issued.token), "token": None},
                shown_once={"token": issued.text},
            )

        answer = once(request, self.access, create)
        headers = {**answer.headers, "Cache-Control": "no-store"}
        return Response(answer.body, status=answer.status, headers=headers)


class TokenView(ApiView):
    scopes = {"DELETE": Scope.ADMIN}

    @extend_schema(
        operation_id="revoke_token", tags=["accounts"], summary="Revoke a token",
        description="No request that begins afterwards is let in by it. One may revoke the token "
        "that one sends. One that is revoked already stays as it is.",
        responses={204: OpenApiResponse(description="It is revoked.")},
    )  # fmt: skip
    def delete(self, request: Request, token_id: str) -> Response:
        token = _in_reach(self.access).filter(pk=as_id(token_id)).first()
        if token is None:
            raise NotFound
        tokens.revoke(token, by=self.access.principal.actor, address=address_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _in_reach(access: Access) -> QuerySet[ApiToken]:
    """The tenant's; for a platform admin those of the platform too, whichever it acts for."""
    rows = ApiToken.objects.select_related("tenant")
    if is_platform_admin(access):
        return rows.filter(Q(tenant=access.tenant) | Q(tenant=None))
    return access.narrow(rows)


def _wants_revoked(request: Request) -> bool:
    asked = request.query_params.get("revoked", "false")
    if asked not in ("true", "false"):
        raise Unprocessable([FieldRefusal("/revoked", "true or false")])
    return asked == "true"

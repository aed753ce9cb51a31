"""From an Authorization header or a browser session to a `Principal`."""

from __future__ import annotations

import hashlib
import hmac

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts import tokens
from accounts.models import ApiToken, Tenant
from accounts.principal import Kind, Principal
from accounts.scopes import expand
from accounts.staff import Staff, staff

Authenticated = tuple[Principal, None]


class BearerAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer TOKEN`, with a token of ours or the value of ADMIN_API_TOKEN."""

    def authenticate(self, request: Request) -> Authenticated | None:
        scheme, _, text = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        principal = _platform_admin(text) or _holder(text)
        if principal is None:
            raise AuthenticationFailed
        return principal, None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class SessionAuthentication(authentication.SessionAuthentication):
    """A signed-in person acts by role in a tenant, a superuser as platform admin.

    Who is a member of several tenants names one in `X-Tenant`. None is meant without it: another
    tenant's admin, who may add anybody, would redirect that person's calls. Writing needs the CSRF
    token.
    """

    def authenticate(self, request: Request) -> Authenticated | None:
        user: AbstractUser | None = getattr(request._request, "user", None)
        if user is None:
            return None
        person = staff(user)
        principal = principal_of_person(person, request.headers.get("X-Tenant"))
        if principal is not None:
            self.enforce_csrf(request)
        return (principal, None) if principal else None


def principal_of_person(person: Staff, asked: str | None) -> Principal | None:
    if person.everywhere:
        return Principal(kind=Kind.SESSION, name=person.username)
    mine = list(Tenant.objects.filter(pk__in=person.roles).order_by("slug"))
    if not mine:
        return None
    tenant = mine[0] if len(mine) == 1 else next((one for one in mine if one.slug == asked), None)
    return Principal(
        kind=Kind.SESSION,
        name=person.username,
        tenant=tenant,
        scopes=person.roles[tenant.pk].scopes if tenant else frozenset(),
        tenants=tuple(one.slug for one in mine),
    )


def _platform_admin(text: str) -> Principal | None:
    if settings.ADMIN_API_TOKEN and _same(text, settings.ADMIN_API_TOKEN):
        return Principal(kind=Kind.PLATFORM, name="ADMIN_API_TOKEN")
    return None


def _same(one: str, other: str) -> bool:
    """Compared as digests: their length does not show, and they may hold any character."""
    return hmac.compare_digest(*(hashlib.sha256(text.encode()).digest() for text in (one, other)))


def _holder(text: str) -> Principal | None:
    token = tokens.verify(text)
    return principal_of_token(token) if token else None


def principal_of_token(token: ApiToken) -> Principal:
    return Principal(
        kind=Kind.TOKEN if token.tenant else Kind.PLATFORM,
        name=token.name,
        tenant=token.tenant,
        scopes=expand(token.scopes),
        owner=token.owner,
        token_id=token.pk,
        expires_at=token.expires_at,
    )

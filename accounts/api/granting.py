"""What a token of a caller's making may be: never more than the caller itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone
from rest_framework.exceptions import PermissionDenied

from accounts.access import Access
from accounts.api.platform import require_platform_admin
from accounts.api.refusals import FieldRefusal, Unprocessable
from accounts.api.tokens_documents import NewToken
from accounts.principal import Principal
from accounts.scopes import Scope, expand


def granted(wish: NewToken, access: Access) -> Mapping[str, Any]:
    """The arguments of `accounts.tokens.issue` that say what the token may. Raises PermissionDenied
    for more than the caller's own, Unprocessable for what no token may be."""
    if wish.platform:
        require_platform_admin(access)
        _refuse_half_a_platform(wish)
    if not expand(wish.scopes) <= access.principal.scopes:
        raise PermissionDenied("A token has no scope that its maker has not.")
    return {
        "tenant": None if wish.platform else access.one_tenant,
        "scopes": [scope.value for scope in wish.scopes],
        "owner": _owner(wish, access.principal),
        "expires_at": _end(wish, access.principal),
    }


def refuse_what_is_over(wish: NewToken) -> None:
    """Apart from `granted`, since it changes with time: a request that is sent again after the end
    gets its first answer again."""
    if wish.expires_at is not None and wish.expires_at <= timezone.now():
        raise Unprocessable([FieldRefusal("/expires_at", "is over already")])


def _refuse_half_a_platform(wish: NewToken) -> None:
    refusals = []
    if set(wish.scopes) != {Scope.ADMIN}:
        refusals.append(FieldRefusal("/scopes", "a platform token has the scope admin alone"))
    if wish.owner:
        refusals.append(FieldRefusal("/owner", "a platform token has no owner"))
    if refusals:
        raise Unprocessable(refusals)


def _owner(wish: NewToken, maker: Principal) -> str:
    if not maker.owner:
        return wish.owner or ""
    if "owner" in wish.model_fields_set and wish.owner != maker.owner:
        raise PermissionDenied("This token makes tokens of its own owner only.")
    return maker.owner


def _end(wish: NewToken, maker: Principal) -> datetime | None:
    if "expires_at" not in wish.model_fields_set:
        return maker.expires_at
    last = maker.expires_at
    if last is not None and (wish.expires_at is None or wish.expires_at > last):
        raise PermissionDenied("A token does not outlive its maker.")
    return wish.expires_at

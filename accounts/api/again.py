"""Callers who were let in, looked at again: those of a stream that stays open, or of a ticket."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q
from django.db.models.functions import Now

from accounts.api.authentication import principal_of_person, principal_of_token
from accounts.models import ApiToken
from accounts.principal import Kind, Principal
from accounts.staff import staff

_IN_FORCE = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=Now()))


def still_good(principals: Collection[Principal]) -> set[Principal]:
    """Those whose token is in force, or who may still sign in and have the same role."""
    tokens = {one.token_id for one in principals if one.token_id is not None}
    in_force = (
        ApiToken.objects.filter(_IN_FORCE, pk__in=tokens) if tokens else ApiToken.objects.none()
    )
    good = set(in_force.values_list("pk", flat=True))
    return {
        one for one in principals if (one.token_id in good if one.token_id else _same_person(one))
    }


def _same_person(principal: Principal) -> bool:
    if principal.kind != Kind.SESSION:
        return True  # the value of ADMIN_API_TOKEN
    slug = principal.tenant.slug if principal.tenant else None
    found = _person(principal.name, slug)
    if found is None:
        return False
    everywhere = found.tenant is None and not principal.tenants
    return everywhere or found == principal


def known_again(told: dict[str, Any]) -> Principal | None:
    """Whom `remembered` was told of, as he is now; None where he may not call any more."""
    match told:
        case {"token": token_id}:
            token = ApiToken.objects.select_related("tenant").filter(_IN_FORCE, pk=token_id).first()
            return principal_of_token(token) if token else None
        case {"person": name, "tenant": slug}:
            return _person(name, slug)
        case _:
            return Principal(kind=Kind.PLATFORM, name=str(told["name"]))


def remembered(principal: Principal) -> dict[str, Any]:
    """As little as is needed to know him again; JSON-able, without a secret."""
    if principal.token_id is not None:
        return {"token": str(principal.token_id)}
    if principal.kind == Kind.SESSION:
        slug = principal.tenant.slug if principal.tenant else None
        return {"person": principal.name, "tenant": slug}
    return {"name": principal.name}


def _person(name: str, slug: str | None) -> Principal | None:
    """With the role in that tenant, or everywhere; None for whoever has neither any more."""
    users = get_user_model()
    user = users._default_manager.filter(**{users.USERNAME_FIELD: name}).first()
    found = principal_of_person(staff(user), slug) if user else None
    if found is None or found.is_undecided:
        return None
    return found if found.tenant is None or found.tenant.slug == slug else None

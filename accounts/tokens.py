"""API tokens: made, checked, revoked.

The form is `cel_<id>_<secret>`: the id in 32 hexadecimal digits, the secret in 64 (256 bits of
the system's randomness), so that a scanner finds a leaked one by `cel_[0-9a-f]{32}_[0-9a-f]{64}`.
A secret this long needs no slow hash: nobody can try 2^256 of them.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import audit, token_lookup
from accounts.exceptions import TokenNameTaken
from accounts.models import ApiToken, Tenant
from accounts.scopes import expand

_FORM = re.compile(r"cel_([0-9a-f]{32})_([0-9a-f]{64})", re.ASCII)
_USED_WRITTEN_EACH = timedelta(minutes=1)
_NOBODY = UUID(int=0)  # stands for the id of a malformed token, so that it costs a look as well


@dataclass(frozen=True, kw_only=True)
class IssuedToken:
    """A new token. `text` is what its holder sends; it exists here and nowhere else."""

    token: ApiToken
    text: str


def issue(
    *,
    name: str,
    tenant: Tenant | None,
    scopes: Collection[str],
    owner: str = "",
    expires_at: datetime | None = None,
    issued_by: str = "system",
    address: str | None = None,
) -> IssuedToken:
    """Make a token; without a tenant it is a platform admin's and needs the scope `admin`.

    Raises ValueError for an unknown scope, TokenNameTaken for a name in use.
    """
    expand(scopes)
    secret = secrets.token_hex(32)
    token = ApiToken(
        tenant=tenant,
        name=name,
        secret_sha256=_digest(secret),
        scopes=sorted(set(scopes)),
        owner=owner,
        created_by=issued_by,
        expires_at=expires_at,
    )
    with transaction.atomic():
        _insert(token)
        audit.record(
            actor=issued_by,
            action="token.create",
            object_type="token",
            object_id=token.id,
            tenant=tenant,
            address=address,
            after={
                "name": name,
                "scopes": token.scopes,
                "owner": owner,
                "expires_at": expires_at and expires_at.isoformat(),
            },
        )
    return IssuedToken(token=token, text=f"cel_{token.id.hex}_{secret}")


def _insert(token: ApiToken) -> None:
    try:
        with transaction.atomic():
            token.save(force_insert=True)
    except IntegrityError as error:
        if "api_token_name" not in str(error):
            raise
        raise TokenNameTaken from error


def verify(text: str) -> ApiToken | None:
    """The token that `text` is the whole of, with its tenant, or None; then nobody learns why.

    Id and digest are asked for together, so an unknown id, a wrong secret and a malformed text
    take the same path at the same cost. How long the database compares two digests tells nothing
    about the secret: who could choose a digest would have broken SHA-256. The time of use is
    written at most once a minute.
    """
    token_id, secret = _parts(text)
    token = token_lookup.found(token_id, _digest(secret))
    now = timezone.now()
    if token is None or token.revoked_at or (token.expires_at and token.expires_at <= now):
        return None
    _note_use(token, now)
    return token


def revoke(token: ApiToken, *, by: str, address: str | None = None) -> None:
    """From the commit on, no process accepts the token. A second time changes nothing."""
    with transaction.atomic():
        unrevoked = ApiToken.objects.filter(pk=token.pk, revoked_at=None)
        if unrevoked.update(revoked_at=timezone.now()):
            audit.record(
                actor=by,
                action="token.revoke",
                object_type="token",
                object_id=token.id,
                tenant=token.tenant,
                address=address,
                before={"name": token.name},
            )


def _parts(text: str) -> tuple[UUID, str]:
    form = _FORM.fullmatch(text)
    return (UUID(form[1]), form[2]) if form else (_NOBODY, text)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _note_use(token: ApiToken, now: datetime) -> None:
    if token.last_used_at is None or now - token.last_used_at >= _USED_WRITTEN_EACH:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)

"""What the calls about tokens take and answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema

from accounts.api.bodies import Body, Moment, saying
from accounts.api.moment import shown
from accounts.models import ApiToken
from accounts.scopes import Scope

LONGEST_NAME = 100
LONGEST_OWNER = 255


class TokenDocument(BaseModel):
    """A token as it stands; its secret is not kept, and so not shown.

    `owner`: the only one whose jobs it sees and makes. `platform`: it belongs to no tenant.
    `last_used_at` is true to the minute. `tenant` is there where all tenants were asked for, null
    for a platform token.
    """

    id: UUID
    name: str
    scopes: list[Scope]
    owner: str | None
    platform: bool
    created_at: datetime
    created_by: str | None
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    tenant: str | None = None


class TokenPage(BaseModel):
    items: list[TokenDocument]
    next_cursor: str | None


class IssuedTokenDocument(TokenDocument):
    """A new token. `token` is what its holder sends; null where this answer is given again."""

    token: str | None


def _named(value: object) -> str:
    if not (isinstance(value, str) and value.isprintable() and value == value.strip() and value):
        raise ValueError("a name is of visible characters, with none but inner spaces")
    return value


class NewToken(Body):
    """A token that may no more than its maker. Left out, `expires_at` is its maker's own end, and
    `owner` its maker's owner; `platform` takes a platform admin, no owner, and the scope `admin`.
    """

    read_only = frozenset(IssuedTokenDocument.model_fields)

    name: Annotated[
        str,
        BeforeValidator(saying(_named)),
        Field(min_length=1, max_length=LONGEST_NAME),
        WithJsonSchema({"type": "string", "minLength": 1, "maxLength": LONGEST_NAME}),
    ]
    scopes: Annotated[list[Annotated[Scope, Field(strict=False)]], Field(min_length=1)]
    expires_at: Moment | None = None
    owner: Annotated[str, Field(max_length=LONGEST_OWNER)] | None = None
    platform: bool = False


def token_document(token: ApiToken, *, named: bool = False) -> dict[str, Any]:
    """`named`: with its tenant, which must be loaded."""
    document = {
        "id": str(token.pk),
        "name": token.name,
        "scopes": token.scopes,
        "owner": token.owner or None,
        "platform": token.tenant_id is None,
        "created_at": shown(token.created_at),
        "created_by": token.created_by or None,
        "expires_at": shown(token.expires_at),
        "last_used_at": shown(token.last_used_at),
        "revoked_at": shown(token.revoked_at),
    }
    if named:
        document["tenant"] = token.tenant.slug if token.tenant else None
    return document

"""Who is calling."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from accounts.models import Tenant
from accounts.scopes import EVERY_SCOPE, Scope


class Kind(StrEnum):
    TOKEN = "token"  # noqa: S105 (a word, no secret): a tenant's program
    PLATFORM = "platform"  # a platform admin's program
    SESSION = "session"  # a person signed in to the browser


@dataclass(frozen=True, kw_only=True)
class Principal:
    """A caller whose identity is proven. Without a tenant it may act for every one of them.

    `owner`, where set, is the only owner whose jobs it sees and makes. `tenants` are the slugs of a
    person's memberships; who has several and named none has no tenant, and no scope either.
    `token_id` and `expires_at` are of the token that it sent, if it sent one of ours.
    """

    kind: Kind
    name: str
    tenant: Tenant | None = None
    scopes: frozenset[Scope] = EVERY_SCOPE
    owner: str = ""
    tenants: tuple[str, ...] = ()
    token_id: UUID | None = None
    expires_at: datetime | None = None

    is_authenticated: ClassVar[bool] = True

    @property
    def is_undecided(self) -> bool:
        """Whether it has yet to say for which of its tenants it acts."""
        return self.tenant is None and bool(self.tenants)

    @property
    def actor(self) -> str:
        """How `created_by`, `cancelled_by` and the audit trail name it."""
        return f"{'user' if self.kind == Kind.SESSION else 'token'}:{self.name}"

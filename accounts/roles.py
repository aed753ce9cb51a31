"""What a person may do inside a tenant, as data: a role, and the scopes it amounts to."""

from __future__ import annotations

from enum import StrEnum

from accounts.scopes import EVERY_SCOPE, Scope


class Role(StrEnum):
    """Each holds what the one before it holds."""

    VIEWER = "viewer"  # sees
    OPERATOR = "operator"  # sees and acts on jobs, schedules and endpoints
    ADMIN = "admin"  # also members, tokens and the audit trail

    @property
    def rank(self) -> int:
        return _ASCENDING.index(self)

    def holds(self, other: Role) -> bool:
        return self.rank >= other.rank

    @property
    def scopes(self) -> frozenset[Scope]:
        return _SCOPES[self]


_ASCENDING = tuple(Role)
_VIEWING = frozenset(
    {
        Scope.JOBS_READ,
        Scope.SCHEDULES_READ,
        Scope.WEBHOOKS_READ,
        Scope.QUEUES_READ,
        Scope.WORKERS_READ,
    }
)
_SCOPES = {
    Role.VIEWER: _VIEWING,
    Role.OPERATOR: _VIEWING | {Scope.JOBS_WRITE, Scope.SCHEDULES_WRITE, Scope.WEBHOOKS_WRITE},
    Role.ADMIN: EVERY_SCOPE,
}

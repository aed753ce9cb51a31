"""What one watcher may see, and wants to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from accounts.access import Access
from accounts.scopes import Scope
from jobs.live.rows import Row


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Each condition that is given must hold; without any, everything of the tenant is wanted,
    or, where `named_only`, nothing but the jobs that are named (later, by messages)."""

    jobs: frozenset[UUID] = frozenset()
    batch: UUID | None = None
    owner: str | None = None
    named_only: bool = False

    def takes(self, row: Row) -> bool:
        if (self.jobs or self.named_only) and row.id not in self.jobs:
            return False
        if self.batch is not None and row.batch != self.batch:
            return False
        return self.owner is None or row.owner == self.owner

    @property
    def by_name(self) -> bool:
        """Whether it is enough to look at the jobs' ids."""
        return bool(self.jobs) or self.named_only

    def with_job(self, job_id: UUID) -> Wanted:
        """Who names a job wants those that it names, and nothing else any more."""
        return Wanted(jobs=self.jobs | {job_id}, named_only=True)

    def without_job(self, job_id: UUID) -> Wanted:
        return replace(self, jobs=self.jobs - {job_id}, named_only=True)


@dataclass(frozen=True, kw_only=True)
class Grant:
    """A watcher who was let in. `after`: the id of the last event it knows, as it was sent.
    `bound`, by a ticket: it may watch nothing beyond `wanted`; else all that `access` shows."""

    access: Access
    wanted: Wanted
    after: str | None = None
    bound: bool = False

    @property
    def tenant_id(self) -> int:
        return self.access.one_tenant.pk

    def may_see(self, row: Row) -> bool:
        """Of a row of its tenant. A principal that is bound to an owner sees no other's."""
        return self.access.principal.owner in ("", row.owner)

    @property
    def is_admin(self) -> bool:
        return self.access.may(Scope.ADMIN)

    @property
    def the_one(self) -> UUID | None:
        """The job, where one and only one is watched."""
        return next(iter(self.wanted.jobs)) if len(self.wanted.jobs) == 1 else None

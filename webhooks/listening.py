"""Who listens to a tenant's events, known without a look into the database each time.

`Tenant.listening` is another value with each change of who listens, and comes along with every
change of a job. So what was read under one value holds for it: a change of status made before an
endpoint was made is not told to it, and each one made after is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from django.db.models import Q

from accounts.ids import new_id
from accounts.models import Tenant
from webhooks.models import Endpoint
from webhooks.policies import DisabledBecause
from webhooks.retrying import Strategy, strategy_of

_LISTENS = Q(deleted_at=None, is_of_jobs=False) & ~Q(disabled_because=DisabledBecause.BY_HAND)


@dataclass(frozen=True, kw_only=True)
class Listener:
    """An endpoint, as far as it matters for what is sent to it. One that was disabled because it
    fails `is_open` no more: what it misses is kept, to be sent when it is enabled again."""

    endpoint_id: UUID
    strategy: Strategy
    is_open: bool = True
    is_of_jobs: bool = False
    events: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()
    queues: frozenset[str] = frozenset()

    def wants(self, event: str) -> bool:
        return not self.events or event in self.events

    def wants_job(self, event: str, job_type: str, queue: str) -> bool:
        """An event of a job of this type, from this queue."""
        return (
            self.wants(event)
            and (not self.types or job_type in self.types)
            and (not self.queues or queue in self.queues)
        )


@lru_cache(maxsize=1024)
def listeners(tenant_id: int, listening: UUID | None) -> tuple[Listener, ...]:
    """Those of the tenant while its `listening` is this."""
    if listening is None:
        return ()
    rows = Endpoint.objects.filter(_LISTENS, tenant=tenant_id).order_by("pk")
    return tuple(listener_of(row) for row in rows)


def listeners_now(tenant_id: int) -> tuple[Listener, ...]:
    """Those of the tenant, where no change of a job has said which."""
    listening = Tenant.everyone.values_list("listening", flat=True).get(pk=tenant_id)
    return listeners(tenant_id, listening)


def listener_of(endpoint: Endpoint) -> Listener:
    return Listener(
        endpoint_id=endpoint.pk,
        strategy=strategy_of(endpoint.retry),
        is_open=endpoint.enabled,
        is_of_jobs=endpoint.is_of_jobs,
        events=frozenset(endpoint.events),
        types=frozenset(endpoint.types),
        queues=frozenset(endpoint.queues),
    )


def lock(tenant_id: int) -> None:
    """Changes of who listens to a tenant happen one after the other, until the transaction ends."""
    Tenant.objects.select_for_update(no_key=True).only("pk").get(pk=tenant_id)


def changed(tenant_id: int) -> None:
    """Say that other endpoints listen now, or in another manner. Call it after the change, in its
    transaction, which has `lock`ed the tenant."""
    is_heard = Endpoint.objects.filter(_LISTENS, tenant=tenant_id).exists()
    Tenant.objects.filter(pk=tenant_id).update(listening=new_id() if is_heard else None)

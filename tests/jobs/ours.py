"""The platform's own jobs, in any situation."""

from __future__ import annotations

from typing import Any

from accounts.models import Tenant
from jobs import internal, lifecycle
from jobs.enqueue import JobRequest
from jobs.models import Job
from jobs.options import JobOptions
from tests.jobs import making
from tests.testapp.ours import OURS


def request(number: int = 0, **options: Any) -> JobRequest:
    return JobRequest(type_name=OURS, payload={"number": number}, options=JobOptions(**options))


def one(tenant: Tenant, **options: Any) -> Job:
    """A job of the platform's own for this tenant; read back from the database."""
    (job,) = internal.hand_in(tenant, [request(**options)])
    return making.fresh(job)


def of_every_status(tenant: Tenant) -> list[Job]:
    waiting, running, failed, cancelled = (one(tenant) for _ in range(4))
    making.start(running)
    lifecycle.fail(making.start(failed), error=making.ERROR)
    lifecycle.cancel(cancelled.pk, by="user:eve")
    return [waiting, running, failed, cancelled, making.complete(one(tenant))]

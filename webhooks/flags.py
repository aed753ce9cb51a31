"""What the row of a job says of its webhook: `webhook_delivered` and `webhook_attempts`.

They are about the end of the job, and about its own `webhook_url`, or where it has none about the
tenant's endpoints.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from django.db import connection, transaction

from jobs.lifecycle.statement import bound_waits
from jobs.models import Job
from webhooks.handing_in import Due
from webhooks.models import Delivery
from webhooks.policies import EventName

_ENDS = (EventName.COMPLETED.value, EventName.FAILED.value, EventName.CANCELLED.value)


def note_due(tenant_id: int, due: Iterable[Due], jobs: Mapping[UUID, Job]) -> None:
    """Something is to be told of the end of these jobs; in the transaction of the end."""
    ids = {
        job_id
        for one in due
        if (job_id := one.event.job_id) is not None
        and one.event.name in _ENDS
        and (one.listener.is_of_jobs or not jobs[job_id].webhook_url)
    }
    if ids:
        Job.objects.filter(tenant=tenant_id, pk__in=ids).update(webhook_delivered=False)


# Raw SQL: what a job's deliveries say together, in one statement. However often it is run, it says
# the same; earlier ends, of a job that was run again, count as attempts and no more.
_NOTE = """
    WITH told AS (
        SELECT delivery.status, delivery.attempts, event.id AS event_id, event.created_at
          FROM webhooks_delivery AS delivery
          JOIN webhooks_event AS event ON event.id = delivery.event_id
          JOIN webhooks_endpoint AS endpoint ON endpoint.id = delivery.endpoint_id
         WHERE delivery.job_id = %(job)s AND delivery.event_name = ANY (%(ends)s)
           AND endpoint.is_of_jobs = %(of_jobs)s
    ), newest AS (
        SELECT event_id FROM told ORDER BY created_at DESC, event_id DESC LIMIT 1
    )
    UPDATE jobs_job AS job
       SET webhook_attempts = (SELECT LEAST(sum(attempts), 32767) FROM told),
           webhook_delivered = (SELECT bool_and(status = 'delivered')
                                  FROM told JOIN newest USING (event_id))
     WHERE job.id = %(job)s AND %(of_jobs)s = (job.webhook_url <> '')
       AND EXISTS (SELECT FROM told)
"""


def note(delivery: Delivery) -> None:
    """Say on the job's row what came of its deliveries. Where somebody holds the row for long it
    raises OperationalError, and is to be called again."""
    if delivery.job_id is None or delivery.event_name not in _ENDS:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        bound_waits()
        cursor.execute(_NOTE, {
            "ends": list(_ENDS),
            "job": delivery.job_id,
            "of_jobs": delivery.endpoint.is_of_jobs,
        })  # fmt: skip

"""What a job's page shows of its deliveries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from jobs.admin.beside import Beside
from jobs.admin.telling import Moment, moment
from jobs.models import Job
from webhooks.admin.telling import answer_of, tone_of
from webhooks.admin.ways import deliveries_link, delivery_link
from webhooks.models import Delivery

MOST = 10


@dataclass(frozen=True, kw_only=True)
class Row:
    delivery: Delivery
    link: str
    tone: str
    answer: str
    at: Moment | None


def part(job: Job, now: datetime) -> Beside | None:
    """The newest of them; nothing where there are none."""
    rows = Delivery.objects.filter(job_id=job.pk, tenant=job.tenant_id).order_by("-pk")
    found = list(rows.select_related("endpoint")[: MOST + 1])
    if not found:
        return None
    shown = {
        "rows": [_row(one, now) for one in found[:MOST]],
        "more_link": deliveries_link(q=str(job.pk)) if len(found) > MOST else "",
    }
    return Beside(template="webhooks/admin/of_job.html", shown=shown)


def _row(delivery: Delivery, now: datetime) -> Row:
    return Row(
        delivery=delivery,
        link=delivery_link(delivery.pk),
        tone=tone_of(delivery),
        answer=answer_of(delivery),
        at=moment(delivery.created_at, now),
    )

"""How long an ended job is kept: its tenant's word, else its type's, else its status's.

The rules travel to the database as parameters of one condition, `DUE`; so what is looked for, what
is removed and what `--dry-run` counts can never differ.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from accounts.models import Tenant
from jobs import registry
from jobs.states import FINAL, Status

LONGEST_DAYS = 36_500.0  # the database's timestamps end somewhere

# As the index `job_ended` has it.
HAS_ENDED = "(job.completed_at IS NOT NULL OR job.cancelled_at IS NOT NULL)"
ENDED_AT = "COALESCE(job.completed_at, job.cancelled_at)"
_LIFE = """COALESCE(
    (%(by_tenant)s::jsonb ->> job.tenant_id::text)::float8,
    (%(by_type)s::jsonb ->> job.type)::float8,
    (%(by_status)s::jsonb ->> job.status)::float8)"""
_OVER = f"""(
    {ENDED_AT} <= statement_timestamp() - {_LIFE} * interval '1 day'
    OR job.discarded_at <= statement_timestamp() - %(discarded)s * interval '1 day')"""
# Not before it stands in the statistics, and not while it still holds its unique key.
DUE = f"""({HAS_ENDED} AND COALESCE({_OVER}, false)
    AND (job.unique_until IS NULL OR job.unique_until <= statement_timestamp())
    AND {ENDED_AT} <= COALESCE(
        (SELECT until FROM jobs_rollupmark WHERE name = 'ended'), 'infinity'))"""  # noqa: S608 (constants of this module)
# No younger job can be due.
OLD_ENOUGH = f"""{HAS_ENDED}
    AND {ENDED_AT} <= statement_timestamp() - %(shortest)s * interval '1 day'"""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """All in days. `by_tenant` goes by the tenant's id."""

    by_tenant: Mapping[int, float]
    by_type: Mapping[str, float]
    by_status: Mapping[Status, float]
    discarded: float

    @property
    def shortest(self) -> float:
        lives = (*self.by_tenant.values(), *self.by_type.values(), *self.by_status.values())
        return min(self.discarded, *lives)

    def parameters(self) -> dict[str, Any]:
        """What `DUE` and `OLD_ENOUGH` ask for."""
        return {
            "by_tenant": json.dumps(dict(self.by_tenant)),
            "by_type": json.dumps(dict(self.by_type)),
            "by_status": json.dumps(
                {status.value: days for status, days in self.by_status.items()}
            ),
            "discarded": self.discarded,
            "shortest": self.shortest,
        }


def present_rules() -> Rules:
    """As settings, job types and tenants say now. Raises ImproperlyConfigured."""
    kept = Tenant.everyone.filter(retention_days__isnull=False)
    own = kept.values_list("pk", "retention_days")
    return Rules(
        by_tenant={tenant: bounded(days) for tenant, days in own if days is not None},
        by_type={
            each.name: bounded(each.retention_days)
            for each in registry.all()
            if each.retention_days is not None
        },
        by_status={status: _configured(status) for status in sorted(FINAL)},
        discarded=_sound("RETENTION_DISCARDED_DAYS", settings.RETENTION_DISCARDED_DAYS),
    )


def _configured(status: Status) -> float:
    name = f"RETENTION_{status.value.upper()}_DAYS"
    own: float | None = getattr(settings, name)
    if own is None:
        return _sound("RETENTION_DAYS", settings.RETENTION_DAYS)
    return _sound(name, own)


def _sound(name: str, days: float) -> float:
    """Elsewhere -1 means for ever; here it would mean that all go at once. So it is refused."""
    if not days >= 0:  # not a number neither
        raise ImproperlyConfigured(f"{name} is {days}: it is 0 or more, 36500 for the longest.")
    return bounded(days)


def bounded(days: float) -> float:
    return days if days < LONGEST_DAYS else LONGEST_DAYS

"""What was handed in, and assertions about it whose failure lists it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic_core import to_jsonable_python

from accounts.models import Tenant
from jobs.job_type import JobType
from jobs.models import Job
from jobs.secret import masked

_LISTED = 20
_WIDTH = 200

Type = str | JobType[..., Any]


def assert_enqueued(
    type: Type,
    payload: Mapping[str, Any] | None = None,
    *,
    tenant: Tenant | str | None = None,
    times: int | None = None,
    **columns: Any,
) -> list[Job]:
    """Say that jobs of this type were handed in: at least one, or exactly `times`. Returns them.

    `payload` holds what theirs hold at least, at any depth. `columns` are columns of `Job`:
    `queue="mail"`, `priority=90`, `owner="eve"`, `unique_key=…`, `status=…`. Secrets are stored
    encrypted and equal nothing.
    """
    found = enqueued(type, payload, tenant=tenant, **columns)
    wanted = _wanted(type, payload, tenant, columns)
    if times is not None and len(found) != times:
        raise AssertionError(f"{len(found)}, not {times} times {wanted}.\n{_everything()}")
    if times is None and not found:
        raise AssertionError(f"There is no {wanted}.\n{_everything()}")
    return found


def assert_not_enqueued(
    type: Type,
    payload: Mapping[str, Any] | None = None,
    *,
    tenant: Tenant | str | None = None,
    **columns: Any,
) -> None:
    """Say that no such job was handed in."""
    if enqueued(type, payload, tenant=tenant, **columns):
        wanted = _wanted(type, payload, tenant, columns)
        raise AssertionError(f"There is a {wanted}.\n{_everything()}")


def enqueued(
    type: Type | None = None,
    payload: Mapping[str, Any] | None = None,
    *,
    tenant: Tenant | str | None = None,
    **columns: Any,
) -> list[Job]:
    """The jobs that were handed in, ended ones too, in their order."""
    rows = Job.objects.filter(**columns).select_related("tenant").order_by("seq")
    if type is not None:
        rows = rows.filter(type=_name(type))
    if tenant is not None:
        rows = rows.filter(tenant__slug=_slug(tenant))
    wanted = to_jsonable_python(dict(payload or {}))
    return [job for job in rows if holds(job.payload, wanted)]


def holds(stored: Any, wanted: Any) -> bool:
    """Whether everything wanted stands in what is stored. Lists are compared as they are."""
    if isinstance(wanted, dict):
        return isinstance(stored, dict) and all(
            key in stored and holds(stored[key], value) for key, value in wanted.items()
        )
    return bool(stored == wanted)


def _name(type: Type) -> str:
    return type if isinstance(type, str) else type.name


def _slug(tenant: Tenant | str) -> str:
    return tenant if isinstance(tenant, str) else tenant.slug


def _wanted(
    type: Type,
    payload: Mapping[str, Any] | None,
    tenant: Tenant | str | None,
    columns: Mapping[str, Any],
) -> str:
    """As the message names it: `job mail.send of acme with {"to": "eve"}, queue 'mail'`."""
    of = f" of {_slug(tenant)}" if tenant is not None else ""
    holding = f" with {json.dumps(to_jsonable_python(dict(payload)))}" if payload else ""
    rest = "".join(f", {name} {value!r}" for name, value in columns.items())
    return f"job {_name(type)}{of}{holding}{rest}"


def _everything() -> str:
    """What was handed in instead, the first so many, a line each."""
    jobs = list(Job.objects.select_related("tenant").order_by("seq")[: _LISTED + 1])
    if not jobs:
        return "Nothing was handed in at all."
    more = ["  …"] if len(jobs) > _LISTED else []
    return "\n".join(["Handed in:", *map(_line, jobs[:_LISTED]), *more])


def _line(job: Job) -> str:
    payload = json.dumps(masked(job.payload), ensure_ascii=False)
    cut = payload if len(payload) <= _WIDTH else payload[:_WIDTH] + "…"
    return f"  {job.type} of {job.tenant.slug} ({job.status}, queue {job.queue_id}) {cut}"

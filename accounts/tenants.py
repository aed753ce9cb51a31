"""Tenants: made and changed, each time with an audit entry. There is no way to remove one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import audit, rate
from accounts.models import Tenant

LIMITS = (
    "max_running",
    "max_queued",
    "max_per_day",
    "rate_limit",
    "weight",
    "retention_days",
)
_MOST_DAYS = 36_500
_FIELDS = ("name", "plan_name", *LIMITS)


def create(
    *,
    slug: str,
    name: str,
    plan_name: str,
    by: str,
    limits: Mapping[str, Any] | None = None,
    address: str | None = None,
) -> Tenant:
    """A new tenant. `limits` are of `LIMITS`, empty is none. Raises IntegrityError for a slug in
    use: check before; and ValidationError for a limit that makes no sense."""
    tenant = Tenant(slug=slug, name=name, plan_name=plan_name)
    _limit(tenant, limits or {})
    with transaction.atomic():
        tenant.save(force_insert=True)
        _record("tenant.create", tenant, by, address, after=_told(tenant))
    return tenant


def change(
    tenant: Tenant,
    *,
    name: str,
    plan_name: str,
    by: str,
    limits: Mapping[str, Any] | None = None,
    address: str | None = None,
) -> Tenant:
    """Another name, plan or other limits, of which those not named stay; the slug names the tenant
    in requests and stays too. Without a difference nothing is written. Raises ValidationError for
    a limit that makes no sense.

    Who sends jobs reads the limits anew every few seconds."""
    with transaction.atomic():
        known = Tenant.objects.select_for_update().get(pk=tenant.pk)
        before = _told(known)
        known.name, known.plan_name = name, plan_name
        _limit(known, limits or {})
        if _told(known) != before:
            known.save(update_fields=_FIELDS)
            _record("tenant.change", known, by, address, before=before, after=_told(known))
    return known


def _limit(tenant: Tenant, limits: Mapping[str, Any]) -> None:
    for field in LIMITS:
        if field in limits:
            setattr(tenant, field, limits[field])
    tenant.rate_limit = (tenant.rate_limit or "").strip()
    tenant.clean_fields(exclude=["slug", "name", "plan_name", "rate_limit"])
    check_limits({field: getattr(tenant, field) for field in LIMITS})


def check_limits(limits: Mapping[str, Any]) -> None:
    """Raises ValidationError for what the columns themselves do not refuse."""
    wrong = {}
    try:
        rate.parse_or_none(limits.get("rate_limit"))
    except ValueError as error:
        wrong["rate_limit"] = str(error)
    if (limits.get("retention_days") or 0) > _MOST_DAYS:
        wrong["retention_days"] = f"at most {_MOST_DAYS:,} days"
    if wrong:
        raise ValidationError(wrong)


def _record(action: str, tenant: Tenant, by: str, address: str | None, **sides: Any) -> None:
    audit.record(
        actor=by,
        action=action,
        object_type="tenant",
        object_id=tenant.slug,
        tenant=tenant,
        address=address,
        **sides,
    )


def _told(tenant: Tenant) -> dict[str, Any]:
    limits = {field: getattr(tenant, field) for field in LIMITS}
    given = {field: value for field, value in limits.items() if value not in (None, "")}
    return {"name": tenant.name, "plan": tenant.plan_name, **given}

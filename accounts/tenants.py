"""Tenants: made and changed, each time with an audit entry. There is no way to remove one.

Beside a tenant stands one of the platform's own, which nobody sees: it is made when it is needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from psycopg.errors import UniqueViolation

from accounts import audit, rate
from accounts.exceptions import SlugTaken
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
_PLATFORM = "~platform"  # no slug that anybody may choose has a tilde
_LONGEST_SLUG = 63


def create(
    *,
    slug: str,
    name: str,
    plan_name: str,
    by: str,
    limits: Mapping[str, Any] | None = None,
    address: str | None = None,
) -> Tenant:
    """A new tenant. `limits` are of `LIMITS`, empty is none. Raises SlugTaken, and ValidationError
    for a limit that makes no sense."""
    tenant = Tenant(slug=slug, name=name, plan_name=plan_name)
    _limit(tenant, limits or {})
    with transaction.atomic():
        _insert(tenant)
        _record("tenant.create", tenant, by, address, after=_told(tenant))
    return tenant


def change(
    tenant: Tenant,
    *,
    by: str,
    name: str | None = None,
    plan_name: str | None = None,
    limits: Mapping[str, Any] | None = None,
    address: str | None = None,
) -> Tenant:
    """Another name, plan or other limits; what is left out stays, and so does the slug, which names
    the tenant in requests. Without a difference nothing is written. Raises ValidationError for a
    limit that makes no sense.

    The platform's own beside it keeps its plan and weight. Who sends jobs reads the limits anew
    every few seconds."""
    with transaction.atomic():
        known = Tenant.objects.select_for_update().get(pk=tenant.pk)
        before = _told(known)
        known.name = known.name if name is None else name
        known.plan_name = plan_name or known.plan_name
        _limit(known, limits or {})
        if _told(known) != before:
            known.save(update_fields=_FIELDS)
            beside = Tenant.everyone.filter(works_for=known)
            beside.update(plan_name=known.plan_name, weight=known.weight)
            _record("tenant.change", known, by, address, before=before, after=_told(known))
    return known


def platform_of(tenant: Tenant | int) -> Tenant:
    """Whose the platform's own jobs for this tenant (or the tenant of this key) are: an internal
    tenant beside it, with its plan and weight. Made where there is none yet; of two who make it at
    once one does."""
    key = tenant if isinstance(tenant, int) else tenant.pk
    return _beside(key) or _made_beside(key)


def platform_ids() -> QuerySet[Tenant, Any]:
    """The keys of the platform's own tenants, for a condition that leaves their rows out."""
    return Tenant.everyone.exclude(works_for=None).values("pk")


# Raw SQL: the row is read and locked by the statement that copies it, so that no change of the
# plan falls in between.
_MAKE_BESIDE = """
    INSERT INTO accounts_tenant (slug, name, plan_name, weight, works_for_id)
    SELECT %(slug)s, '', plan_name, weight, id FROM accounts_tenant
     WHERE id = %(tenant)s FOR KEY SHARE
    ON CONFLICT DO NOTHING
"""


def _beside(key: int) -> Tenant | None:
    return Tenant.everyone.filter(works_for=key).first()


def _made_beside(key: int) -> Tenant:
    slug = Tenant.objects.values_list("slug", flat=True).get(pk=key)
    with connection.cursor() as cursor:
        cursor.execute(_MAKE_BESIDE, {"slug": _slug_beside(slug, key), "tenant": key})
    return Tenant.everyone.get(works_for=key)


def _slug_beside(slug: str, key: int) -> str:
    """Of a long one as much as there is room for; the key then tells it from its like."""
    if len(slug) + len(_PLATFORM) > _LONGEST_SLUG:
        end = f"~{key}{_PLATFORM}"
        return slug[: _LONGEST_SLUG - len(end)] + end
    return slug + _PLATFORM


def _insert(tenant: Tenant) -> None:
    try:
        with transaction.atomic():
            tenant.save(force_insert=True)
    except IntegrityError as error:
        if isinstance(error.__cause__, UniqueViolation):
            raise SlugTaken from error
        raise


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

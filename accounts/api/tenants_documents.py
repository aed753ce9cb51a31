"""What the calls about tenants take and answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field

from accounts import rate
from accounts.api.bodies import Body, saying
from accounts.api.moment import shown
from accounts.models import Tenant
from accounts.tenants import LIMITS

PlanName = Literal["free", "basic", "premium", "enterprise"]


class TenantDocument(BaseModel):
    """A tenant as it stands; a limit that is null is none, a weight that is null its plan's."""

    slug: str
    name: str
    plan: PlanName
    max_running: int | None
    max_queued: int | None
    max_per_day: int | None
    rate_limit: str | None
    weight: int | None
    retention_days: float | None
    created_at: datetime


class TenantPage(BaseModel):
    items: list[TenantDocument]
    next_cursor: str | None


def _rate(text: str) -> str:
    rate.parse(text)
    return text


_LARGEST = 2_147_483_647
_LEFT_OUT: Any = None  # what `model_fields_set` tells apart from any value
_Name = Annotated[str, Field(max_length=200)]
_Rate = Annotated[str, Field(max_length=20, examples=["100/m"]), AfterValidator(saying(_rate))]
_Number = Annotated[int, Field(ge=0, le=_LARGEST)]


class _Limits(Body):
    read_only = frozenset({"slug", "created_at"})

    max_running: Annotated[int, Field(ge=1, le=_LARGEST)] | None = None
    max_queued: _Number | None = None
    max_per_day: _Number | None = None
    rate_limit: _Rate | None = None
    weight: Annotated[int, Field(ge=1, le=100)] | None = None
    retention_days: Annotated[float, Field(ge=0, le=36_500)] | None = None

    @property
    def limits(self) -> dict[str, Any]:
        """Those that were named."""
        return self.model_dump(include=set(LIMITS), exclude_unset=True)


class NewTenant(_Limits):
    """A tenant, and its limits if it has any. `slug` names it in requests, for good."""

    slug: Annotated[str, Field(max_length=63, pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")]
    name: _Name = ""
    plan: PlanName = "basic"


class TenantChange(_Limits):
    """What is left out stays as it is; null is no limit, or the plan's weight."""

    name: _Name = _LEFT_OUT
    plan: PlanName = _LEFT_OUT


def tenant_document(tenant: Tenant) -> dict[str, Any]:
    limits = {field: getattr(tenant, field) for field in LIMITS}
    return {
        "slug": tenant.slug,
        "name": tenant.name,
        "plan": tenant.plan_name,
        **limits,
        "rate_limit": tenant.rate_limit or None,
        "created_at": shown(tenant.created_at),
    }

"""What the page with a schedule's form shows, and the part of it that follows the typing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone

from accounts.models import Tenant
from jobs.exceptions import JobsError
from scheduling.admin.forms import RuleForm, ScheduleForm, zones
from scheduling.admin.telling import when
from scheduling.admin.ways import list_link, page_link
from scheduling.definition import Definition
from scheduling.models import Schedule
from scheduling.previewing import preview as preview_of

COMING = 5

_RULE = ("cron_expression", "timezone")
_RULE_MORE = ("dst_policy", "starts_at", "ends_at", "calendar_ids")
_JOB = ("type", "payload")
_JOB_MORE = (
    "queue", "priority", "max_retries", "timeout_seconds", "labels", "webhook_url", "owner",
)  # fmt: skip
_POLICIES = ("overlap", "misfire", "misfire_limit", "jitter_seconds")


def context(form: ScheduleForm, offered: Sequence[Tenant]) -> dict[str, Any]:
    schedule = form.schedule
    shown = form.data if form.is_bound else _as_posted(form)
    return {
        "form": form,
        "schedule": schedule,
        "tenant": form.tenant,
        "tenants": offered if len(offered) > 1 else (),
        "zones": zones(),
        "groups": [
            ("When", _fields(form, _RULE), _fields(form, _RULE_MORE)),
            ("What", _fields(form, _JOB), _fields(form, _JOB_MORE)),
        ],
        "head": _fields(form, ("name", "description", "enabled")),
        "policies": _fields(form, _POLICIES),
        "way_back": page_link(schedule.pk) if schedule else list_link(),
        **preview(form.tenant, shown, schedule),
    }


def preview(
    tenant: Tenant, posted: Mapping[str, Any], schedule: Schedule | None = None
) -> dict[str, Any]:
    """Of the rule in these fields, as far as it can be told; for a schedule that is there, with the
    periods of `@every` counted from where it counts them."""
    if not posted.get("cron_expression"):
        return {"coming": (), "in_words": "", "refusals": ()}
    owner = str(posted.get("owner") or "").replace("\0", "")  # its field refuses that
    rule = RuleForm(posted, tenant=tenant, owner=owner)
    found = None
    now = timezone.now()
    if rule.is_valid():
        try:
            values = rule.given()
            if schedule is not None:
                values["starts_at"] = values["starts_at"] or schedule.created_at
            given = Definition(name="", type="", owner=owner, **values)
            found = preview_of(tenant, given, now=now, count=COMING)
        except JobsError as error:
            rule.refuse(error)
    if found is None:
        refusals = [str(told) for each in rule.errors.values() for told in each]
        return {"coming": (), "in_words": "", "refusals": refusals}
    coming = [when(at, rule.cleaned_data["timezone"], now) for at in found.next]
    return {"coming": coming, "in_words": found.in_words, "refusals": ()}


def _fields(form: ScheduleForm, names: Sequence[str]) -> list[Any]:
    return [form[name] for name in names]


def _as_posted(form: ScheduleForm) -> dict[str, Any]:
    """The form's values as a browser would send them back."""
    return {name: form[name].value() for name in (*_RULE, *_RULE_MORE, "owner")}

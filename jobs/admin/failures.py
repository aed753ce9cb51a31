"""Dead letters by group: a page of them, and running or discarding a whole group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from accounts.admin.base import address_of
from accounts.models import Tenant
from accounts.roles import Role
from accounts.staff import Staff, staff_of
from jobs import bulk, bulk_verbs, failures
from jobs.admin.listing import list_link, page_link
from jobs.admin.looking import Choice, tenant_choices, tenant_of
from jobs.admin.telling import Moment, moment, short_id
from jobs.admin.verbs import VERBS, Outcome, sentence
from jobs.bulk import Call, Done
from jobs.failures import Group, Wanted
from jobs.models import Job
from jobs.operations import Actor
from jobs.stats import Count

PAGE = 50
CALLS = 10  # each of so many jobs as one call takes; what is left waits for another press
FAILURES = "admin:jobs_job_failures"
_VERBS = {"retry": bulk_verbs.retry, "discard": bulk_verbs.discard}
_REASONS = {
    bulk.CONFLICT: "the status does not allow it",
    bulk.KEY_TAKEN: "another active job holds the unique key",
    bulk.FILE_GONE: "a file that the job names was removed",
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """A group on the page. `frames` are for admins of the tenant."""

    group: Group
    count: str
    first: Moment | None
    last: Moment | None
    sample_link: str
    sample_id: str
    jobs_link: str
    frames: Sequence[str]
    may_act: bool


def failures_page(request: HttpRequest, person: Staff) -> dict[str, Any]:
    """What the template shows."""
    now = timezone.now()
    before = request.GET.get("before", "")
    chosen = tenant_of(request)
    wanted = Wanted(
        tenants=[chosen.pk] if chosen else None,
        before=int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None,
    )
    groups = failures.groups_of(wanted, PAGE + 1)
    tenants: Sequence[Choice] = tenant_choices(request, chosen)
    return {
        "rows": [_row(group, person, now) for group in groups[:PAGE]],
        "tenants": tenants,
        "several_tenants": chosen is None,
        "older": groups[PAGE - 1].sample.seq if len(groups) > PAGE else None,
        "chosen": chosen.slug if chosen else "",
    }


def act_on_group(request: HttpRequest, verb: str) -> dict[str, Any] | HttpResponse:
    """Do it once it was confirmed; before that the question, which says how many it is about."""
    person, group = staff_of(request), _asked(request)
    if verb not in _VERBS:
        raise Http404
    if not person.may(Role.OPERATOR, group.sample.tenant_id):
        raise PermissionDenied
    if "confirmed" not in request.POST:
        return {
            "verb": VERBS[verb],
            "row": _row(group, person, timezone.now()),
            "jobs": jobs_in_words(group.count),
            "doing": {"retry": "runs", "discard": "discards"}[verb],
            "way_back": _way_back(request),
            "from_tenant": request.POST.get("from_tenant", ""),
            "several_tenants": person.everywhere or len(person.roles) > 1,
            "title": f"{VERBS[verb].label} all?",
        }
    _perform(request, verb, group, person)
    return HttpResponseRedirect(_way_back(request))


def alike(job: Job) -> str:
    """How many dead letters are like this one, in words; nothing where it is alone or none."""
    if not job.fingerprint or job.discarded_at is not None:
        return ""
    count = failures.count_of(job)
    others = Count(number=count.number - 1, exact=count.exact)
    return counted(others) if others.number > 0 else ""


def link_to(job: Job) -> str:
    """The list of the dead letters that are like this one."""
    return list_link(q=f"failure:{job.fingerprint or failures.NO_FINGERPRINT}")


def counted(count: Count) -> str:
    return f"{count.number:,}" if count.exact else f"more than {count.number:,}"


def jobs_in_words(count: Count) -> str:
    return f"{counted(count)} job{'' if count.number == 1 else 's'}"


def _asked(request: HttpRequest) -> Group:
    """The group of the form, if this person may see it. Raises Http404."""
    rows = Tenant.objects.filter(slug=request.POST.get("tenant", "").replace("\x00", ""))
    tenant = staff_of(request).narrow(rows, Role.VIEWER, "pk").first()
    if request.method != "POST" or tenant is None:
        raise Http404
    fingerprint = failures.column_of(request.POST.get("fingerprint", ""))
    groups = failures.groups_of(Wanted(tenants=[tenant.pk], fingerprint=fingerprint), 1)
    if not groups:
        raise Http404
    return groups[0]


def _perform(request: HttpRequest, verb: str, group: Group, person: Staff) -> None:
    by = Actor(name=person.actor, address=address_of(request))
    call = Call(rows=Job.objects.all(), tenant=group.sample.tenant, by=by)
    calls = list(bulk.whole_group(_VERBS[verb](), group.name, call, calls=CALLS))
    outcome = _outcome(calls)
    told = sentence(VERBS[verb], outcome)
    if calls[-1].more:
        told += " There are more: press again."
    (messages.warning if outcome.refused or calls[-1].more else messages.success)(request, told)


def _outcome(calls: Sequence[Done]) -> Outcome:
    outcome = Outcome(changed=sum(one.changed for one in calls), refused=Counter())
    for one in calls[-1].results:
        if one.error is not None:
            outcome.refused[_REASONS[one.error]] += 1
    return outcome


def _way_back(request: HttpRequest) -> str:
    asked = request.POST.get("from_tenant", "")
    known = staff_of(request).narrow(Tenant.objects.filter(slug=asked), Role.VIEWER, "pk")
    return reverse(FAILURES) + (f"?tenant={asked}" if asked and known.exists() else "")


def _row(group: Group, person: Staff, now: datetime) -> Row:
    tenant = group.sample.tenant_id
    return Row(
        group=group,
        count=counted(group.count),
        first=moment(group.first, now),
        last=moment(group.last, now),
        sample_link=page_link(group.sample),
        sample_id=short_id(group.sample.pk),
        jobs_link=list_link(tenant=group.sample.tenant.slug, q=f"failure:{group.name}"),
        frames=group.frames if person.may(Role.ADMIN, tenant) else (),
        may_act=person.may(Role.OPERATOR, tenant),
    )

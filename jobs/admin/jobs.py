"""Jobs in the admin: a list that stays fast, a page that tells all, and audited verbs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from accounts.admin.base import ScopedAdmin, address_of
from accounts.staff import staff_of
from jobs.admin.failures import act_on_group, failures_page
from jobs.admin.listing import LIST, listing, page_link
from jobs.admin.page import live, page
from jobs.admin.telling import short_id
from jobs.admin.verbs import BOOST, MOST, VERBS, Verb, amount_of, perform, sentence
from jobs.models import Job
from jobs.operations import Actor
from jobs.retention import result_of
from jobs.secret import masked
from jobs.states import FINAL

_CHOSEN, _CONFIRMED = "job", "confirmed"
_NAMED = 10  # jobs that a question names


@admin.register(Job)
class JobAdmin(ScopedAdmin):
    """Jobs are made and changed by verbs alone, so there is no form of the model here."""

    audited_as = "job"
    actions = None

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site
        own = [
            path("act/<slug:verb>/", site.admin_view(self.act_on_many), name="jobs_job_act"),
            path("failures/", site.admin_view(self.failures_view), name="jobs_job_failures"),
            path(
                "failures/<slug:verb>/", site.admin_view(self.act_on_failures),
                name="jobs_job_failures_act",
            ),
            path("<uuid:job_id>/live/", site.admin_view(self.live_view), name="jobs_job_live"),
            path(
                "<uuid:job_id>/raw/<slug:what>/", site.admin_view(self.raw_view),
                name="jobs_job_raw",
            ),
        ]  # fmt: skip
        urls: list[URLPattern] = super().get_urls()
        return own + urls

    # --- looking -------------------------------------------------------------------------

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = listing(request, staff_of(request))
        return self._shown(request, "list", title="Jobs", **context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        job = self._job(request, object_id)
        context = page(job, staff_of(request))
        return self._shown(request, "page", title=f"{job.type} {short_id(job.pk)}", **context)

    def failures_view(self, request: HttpRequest) -> HttpResponse:
        """Dead letters by group."""
        if request.method not in ("GET", "HEAD") or not self.has_view_permission(request):
            raise PermissionDenied
        context = failures_page(request, staff_of(request))
        return self._shown(request, "failures", title="Failures", **context)

    def live_view(self, request: HttpRequest, job_id: UUID) -> HttpResponse:
        """The part of the page that changes, for its script."""
        job = self._job(request, job_id)
        return TemplateResponse(request, "jobs/admin/live.html", live(job))

    def raw_view(self, request: HttpRequest, job_id: UUID, what: str) -> HttpResponse:
        """Payload or result as a file, secrets masked."""
        if what not in ("payload", "result"):
            raise Http404
        job = self._job(request, job_id)
        value = masked(result_of(job) if what == "result" else job.payload)
        name = f"{job_id}-{what}.json"
        return HttpResponse(
            json.dumps(value, ensure_ascii=False, indent=2),
            content_type="application/json",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page tells the history."""
        return HttpResponseRedirect(page_link(self._job(request, object_id)))

    def _job(self, request: HttpRequest, job_id: str | UUID) -> Job:
        """Raises Http404, the same for a malformed, a missing and a foreign id."""
        try:
            key = job_id if isinstance(job_id, UUID) else UUID(job_id)
        except ValueError:
            raise Http404 from None
        job: Job | None = self.get_queryset(request).select_related("tenant").filter(pk=key).first()
        if job is None:
            raise Http404
        return job

    def _shown(self, request: HttpRequest, template: str, **context: Any) -> HttpResponse:
        everywhere = self.admin_site.each_context(request)
        return TemplateResponse(
            request,
            f"jobs/admin/{template}.html",
            {**everywhere, "opts": self.opts, "final": FINAL, **context},
        )

    # --- acting --------------------------------------------------------------------------

    def act_on_many(self, request: HttpRequest, verb: str) -> HttpResponse:
        """Do a verb to the chosen jobs, one or many; a question first where it cannot be undone."""
        if request.method != "POST" or verb not in VERBS:
            raise Http404
        asked = VERBS[verb]
        jobs = self._chosen(request, asked)
        if asked.warning and jobs and _CONFIRMED not in request.POST:
            return self._question(request, asked, jobs)
        self._perform(request, asked, jobs)
        return HttpResponseRedirect(_way_back(request, jobs))

    def act_on_failures(self, request: HttpRequest, verb: str) -> HttpResponse:
        """Run or discard a whole group of dead letters; first the question how many that is."""
        answer = act_on_group(request, verb)
        if isinstance(answer, HttpResponse):
            return answer
        return self._shown(request, "failures_question", **answer)

    def _chosen(self, request: HttpRequest, verb: Verb) -> list[Job]:
        """Those of the named jobs that this person may see, which are all that are told of.

        Who holds the verb's role in the tenant of none of them is turned away.
        """
        person = staff_of(request)
        if not person.may_somewhere(verb.role):
            raise PermissionDenied
        ids = [found for text in request.POST.getlist(_CHOSEN)[:MOST] if (found := _as_id(text))]
        rows = self.get_queryset(request).select_related("tenant").defer("payload", "result")
        jobs = list(rows.filter(pk__in=ids))
        if jobs and not any(verb.allowed(person, job) for job in jobs):
            raise PermissionDenied
        return jobs

    def _question(self, request: HttpRequest, verb: Verb, jobs: Sequence[Job]) -> HttpResponse:
        return self._shown(
            request,
            "question",
            title=f"{verb.label}?",
            verb=verb,
            jobs=[(job, short_id(job.pk)) for job in jobs],
            named=_NAMED,
            way_back=_way_back(request, jobs),
            back=request.POST.get("back", ""),
            from_page=request.POST.get("from") == "page",
        )

    def _perform(self, request: HttpRequest, verb: Verb, jobs: Sequence[Job]) -> None:
        person = staff_of(request)
        by = Actor(name=person.actor, address=address_of(request))
        try:
            amount = amount_of(request.POST.get("amount", "")) if verb.takes_amount else BOOST
        except ValueError as error:
            messages.error(request, str(error))
            return
        outcome = perform(verb, jobs, person, by, amount)
        tell = messages.warning if outcome.refused else messages.success
        tell(request, sentence(verb, outcome))


def _as_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _way_back(request: HttpRequest, jobs: Sequence[Job]) -> str:
    """To the job's page or to the list, with its filters as they were."""
    if request.POST.get("from") == "page" and len(jobs) == 1:
        return page_link(jobs[0])
    filters = request.POST.get("back", "")
    return f"{reverse(LIST)}?{filters}" if filters else reverse(LIST)

"""Queues in the admin: what waits in each, since when, who consumes it; paused and limited here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from accounts.admin.base import address_of
from accounts.staff import staff_of
from jobs.admin.figure_page import FigurePage
from jobs.admin.figures import queue_rows, worker_rows
from jobs.admin.looking import whose_with_ours
from jobs.admin.policy_forms import LimitsForm, PauseTermsForm, in_words
from jobs.exceptions import InvalidPolicy
from jobs.models import Pause, PauseKind, Queue
from jobs.operations import Actor
from jobs.policies import limiting, pausing
from jobs.stats import workers_of

Change = Callable[[Queue, Actor, HttpRequest], str]


@admin.register(Queue)
class QueueAdmin(FigurePage):
    """Whoever sees jobs sees their queues; platform admins pause and limit them."""

    page_template = "admin/jobs/queue/page.html"
    page_title = "Queues"

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site
        own = [
            path(
                f"<path:object_id>/{verb}/", site.admin_view(self.change_by),
                {"change": change}, name=f"jobs_queue_{verb}",
            )
            for verb, change in _CHANGES.items()
        ]  # fmt: skip
        urls: list[URLPattern] = super().get_urls()
        return own + urls

    def figures(self, request: HttpRequest, name: str | None) -> dict[str, Any]:
        now, whose = timezone.now(), whose_with_ours(request)
        rows = [row for row in queue_rows(whose, now) if name in (None, row.name)]
        if name is not None and not rows:
            raise Http404
        shown = {"queue": None, "queues": rows, "workers": []}
        if name is None:
            return shown
        workers = [one for one in workers_of(whose) if name in one.queues]
        pause = _pause_of(name)
        own = {"queue": rows[0], "workers": worker_rows(workers, now), "pause": pause}
        return {**shown, **own, **self._forms(request, name, pause)}

    def _forms(self, request: HttpRequest, name: str, pause: Pause | None) -> dict[str, Any]:
        if not staff_of(request).everywhere:
            return {}
        known = {"reason": pause.reason, "until": pause.until} if pause else {}
        return {
            "terms": PauseTermsForm(initial=known),
            "limits": LimitsForm(instance=Queue.objects.get(pk=name)),
        }

    def change_by(self, request: HttpRequest, object_id: str, change: Change) -> HttpResponse:
        """By POST only; refused in words on the queue's page."""
        person = staff_of(request)
        if not person.everywhere:
            raise PermissionDenied
        queue = Queue.objects.filter(pk=unquote(object_id)).first()
        if queue is None or request.method != "POST":
            raise Http404
        try:
            by = Actor(name=person.actor, address=address_of(request))
            messages.success(request, change(queue, by, request))
        except InvalidPolicy as error:
            messages.error(request, in_words(error))
        return HttpResponseRedirect(reverse("admin:jobs_queue_change", args=[queue.pk]))


def _pause_of(name: str) -> Pause | None:
    return Pause.objects.filter(pausing.IN_FORCE, kind=PauseKind.QUEUE, target=name).first()


def _pause(queue: Queue, by: Actor, request: HttpRequest) -> str:
    terms = PauseTermsForm.given(request.POST)
    pausing.pause(PauseKind.QUEUE, queue.pk, by, reason=terms.reason, until=terms.until)
    return f"{queue} is paused. Jobs that run go on."


def _resume(queue: Queue, by: Actor, request: HttpRequest) -> str:
    pausing.resume(PauseKind.QUEUE, queue.pk, by)
    return f"{queue} goes on."


def _limit(queue: Queue, by: Actor, request: HttpRequest) -> str:
    limiting.change(queue.pk, LimitsForm.given(request.POST, queue), by)
    return f"The limits of {queue} are set."


_CHANGES: dict[str, Change] = {"pause": _pause, "resume": _resume, "limits": _limit}

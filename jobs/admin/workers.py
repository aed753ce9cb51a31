"""Workers in the admin: what each can take, and what it runs; paused and ended here."""

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
from jobs import worker_verbs
from jobs.admin.figure_page import FigurePage
from jobs.admin.figures import worker_rows
from jobs.admin.looking import whose_with_ours
from jobs.exceptions import TransitionRefused
from jobs.models import Worker
from jobs.operations import Actor
from jobs.stats import workers_of

Verb = Callable[[str, Actor], Worker]
_VERBS: dict[str, tuple[Verb, str]] = {
    "pause": (worker_verbs.pause, "takes no further job. Jobs that run go on."),
    "resume": (worker_verbs.resume, "takes jobs again."),
    "shutdown": (worker_verbs.shutdown, "ends when its jobs have, and stays down."),
    "restart": (worker_verbs.restart, "begins anew when its jobs have ended."),
}


@admin.register(Worker)
class WorkerAdmin(FigurePage):
    """What they run is shown of the tenants whose jobs this person may see; platform admins act
    on them."""

    page_template = "admin/jobs/worker/page.html"
    page_title = "Workers"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.act_view)
        own = [
            path(
                f"<path:object_id>/{verb}/", view, {"verb": verb}, name=f"jobs_worker_{verb}"
            )
            for verb in _VERBS
        ]  # fmt: skip
        urls: list[URLPattern] = super().get_urls()
        return own + urls

    def figures(self, request: HttpRequest, name: str | None) -> dict[str, Any]:
        everywhere = staff_of(request).everywhere
        workers = workers_of(whose_with_ours(request), with_ours=everywhere)
        found = [one for one in workers if name in (None, one.name)]
        if name is not None and not found:
            raise Http404
        return {
            "workers": worker_rows(found, timezone.now()),
            "only": worker_row(name) if name else None,
            "may_act": name is not None and everywhere,
        }

    def act_view(self, request: HttpRequest, object_id: str, verb: str) -> HttpResponse:
        """By POST only; refused in words on the worker's page."""
        person, name = staff_of(request), unquote(object_id)
        if not person.everywhere:
            raise PermissionDenied
        if request.method != "POST":
            raise Http404
        act, words = _VERBS[verb]
        try:
            act(name, Actor(name=person.actor, address=address_of(request)))
            messages.success(request, f"{name} {words}")
        except Worker.DoesNotExist:
            raise Http404 from None
        except TransitionRefused as error:
            messages.error(request, str(error))
        return HttpResponseRedirect(reverse("admin:jobs_worker_change", args=[name]))


def worker_row(name: str) -> Worker | None:
    """As it reported itself: the types it knows, and what it counted."""
    return Worker.objects.filter(pk=name).first()

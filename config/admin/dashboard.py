"""What the first page of the admin shows: the state, figures, charts, queues, workers, failures."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from accounts.roles import Role
from accounts.staff import staff_of
from config.admin.alerts import alert_rows
from config.admin.cards import Card, depth_card, throughput_card
from config.admin.choices import chosen_span, span_choices
from config.admin.coming import coming_rows
from config.admin.failures import failure_rows
from config.admin.state import State
from config.admin.tiles import tiles
from config.vitals.health import health_of
from jobs.admin.figures import queue_rows, worker_rows
from jobs.admin.looking import tenant_choices, tenant_of
from jobs.stats import Whose, overview


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """`UNFOLD["DASHBOARD_CALLBACK"]`: the context of templates/admin/index.html."""
    if not staff_of(request).may_somewhere(Role.VIEWER):
        return context
    tenant, span = tenant_of(request), chosen_span(request)
    whose = Whose(tenant=tenant.pk if tenant else None)
    health, figures, now = health_of(whose), overview(whose), timezone.now()
    cards: dict[str, Card] = {
        "throughput": throughput_card(whose, span),
        "depth": depth_card(whose, span),
    }
    return {
        **context,
        **cards,
        "title": "Dashboard",
        "platform": State.of(health),
        "tenants": tenant_choices(request, tenant),
        "spans": span_choices(request, span),
        "tiles": tiles(figures, health, now, tenant),
        "queues": queue_rows(whose, now),
        "workers": worker_rows(health.workers, now),
        "failures": failure_rows(whose),
        "coming": coming_rows(whose.tenant),
        **alert_rows(health.alerts),
    }

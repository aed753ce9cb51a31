"""The look of the admin: names, colours, the ways through it. Read by django-unfold."""

from __future__ import annotations

from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy

_EVERYWHERE = "config.admin.ways.everywhere"
_ADMINS = "config.admin.ways.admins"


def _way(title: str, icon: str, link: Any, permission: str = "") -> dict[str, Any]:
    way = {"title": title, "icon": icon, "link": link}
    return {**way, "permission": permission} if permission else way


def _list(app: str, model: str) -> Any:
    return reverse_lazy(f"admin:{app}_{model}_changelist")


def look(*, flower_url: str) -> dict[str, Any]:
    """`UNFOLD` of the settings."""
    return {
        "SITE_TITLE": "Celeriac",
        "SITE_HEADER": "Celeriac",
        "SITE_SUBHEADER": "Durable jobs",
        "SITE_URL": None,
        "SITE_ICON": lambda request: static("config/celeriac.svg"),
        "SITE_FAVICONS": [
            {
                "rel": "icon",
                "type": "image/svg+xml",
                "href": lambda request: static("config/celeriac.svg"),
            }
        ],
        "SHOW_HISTORY": False,
        "SHOW_VIEW_ON_SITE": False,
        "SHOW_BACK_BUTTON": True,
        "BORDER_RADIUS": "6px",
        "COLORS": {"primary": _GREEN},
        "STYLES": [lambda request: static("config/admin.css")],
        "DASHBOARD_CALLBACK": "config.admin.dashboard.dashboard",
        "COMMAND": {"search_models": False, "show_history": False},
        "SIDEBAR": {
            "show_search": False,
            "show_all_applications": False,
            "navigation": _navigation(flower_url),
        },
    }


def _navigation(flower_url: str) -> list[dict[str, Any]]:
    return [
        {"items": [_way("Dashboard", "monitoring", reverse_lazy("admin:index"))]},
        {
            "title": "Work",
            "separator": True,
            "items": [
                _way("Jobs", "work_history", _list("jobs", "job")),
                _way("Failures", "error", reverse_lazy("admin:jobs_job_failures")),
                _way("Batches", "library_books", _list("jobs", "batch")),
                _way("Workflows", "account_tree", _list("jobs", "workflow")),
                _way("Schedules", "event_repeat", _list("scheduling", "schedule")),
                _way("Calendars", "event_busy", _list("scheduling", "calendar")),
                _way("Coming day", "view_timeline", reverse_lazy("admin:scheduling_schedule_day")),
                _way("Webhooks", "webhook", _list("webhooks", "endpoint")),
                _way("Deliveries", "outbox", _list("webhooks", "delivery")),
                _way("Queues", "stacks", _list("jobs", "queue")),
                _way("Workers", "memory", _list("jobs", "worker")),
                _way("Pauses", "pause_circle", _list("jobs", "pause")),
                _way("Flower", "local_florist", flower_url, _EVERYWHERE),
            ],
        },
        {
            "title": "Access",
            "separator": True,
            "items": [
                _way("Tenants", "apartment", _list("accounts", "tenant")),
                _way("Members", "group", _list("accounts", "membership"), _ADMINS),
                _way("People", "person", _list("auth", "user"), _EVERYWHERE),
                _way("Tokens", "key", _list("accounts", "apitoken"), _ADMINS),
                _way("Audit", "history", _list("accounts", "auditentry"), _ADMINS),
            ],
        },
        {
            "title": "Celery",
            "separator": True,
            "items": [
                _way(
                    "Periodic tasks",
                    "schedule",
                    _list("django_celery_beat", "periodictask"),
                    _EVERYWHERE,
                ),
                _way(
                    "Task results",
                    "fact_check",
                    _list("django_celery_results", "taskresult"),
                    _EVERYWHERE,
                ),
            ],
        },
        {
            "title": "Programs",
            "separator": True,
            "items": [_way("API reference", "api", reverse_lazy("docs"))],
        },
    ]


_GREEN = {
    "50": "oklch(98.2% .018 155.8)",
    "100": "oklch(96.2% .044 156.7)",
    "200": "oklch(92.5% .084 156)",
    "300": "oklch(87.1% .15 154.4)",
    "400": "oklch(79.2% .19 151.7)",
    "500": "oklch(66% .18 149.6)",
    "600": "oklch(55% .16 149.2)",
    "700": "oklch(47% .13 150)",
    "800": "oklch(40% .10 151.3)",
    "900": "oklch(34% .08 152.5)",
    "950": "oklch(24% .06 152.9)",
}

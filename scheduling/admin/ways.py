"""Where the pages of schedules are."""

from __future__ import annotations

from uuid import UUID

from django.urls import reverse

LIST = "admin:scheduling_schedule_changelist"


def list_link() -> str:
    return reverse(LIST)


def page_link(schedule_id: UUID | str) -> str:
    return reverse("admin:scheduling_schedule_change", args=[schedule_id])

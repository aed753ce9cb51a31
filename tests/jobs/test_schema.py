"""The migrations make what the models say, and every moment the code relies on has its default."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, models

OURS = ("accounts", "jobs", "scheduling", "webhooks")
# Set when something happens, never at the INSERT.
LATER = {
    "jobs_job": {
        "run_at", "visible_at", "expires_at", "dispatched_at", "lease_expires_at", "started_at",
        "completed_at", "cancel_requested_at", "cancelled_at", "discarded_at", "unique_until",
        "scheduled_for",
    },
    "jobs_dependency": {"settled_at"},
    "jobs_leadership": {"expires_at"},
    "jobs_batch": {"finished_at"},
    "jobs_pause": {"until", "ended_at"},
    "jobs_keystate": {"closed_until", "opened_at"},
    "jobs_rateuse": {"started_at"},
    "jobs_worker": {"wished_at"},
}  # fmt: skip
# Given with each INSERT: they tell of another moment.
GIVEN = {
    "jobs_rateuse": {"booked_at"},
    "jobs_attempt": {"started_at", "ended_at"},
    "jobs_storedfile": {"expires_at"},
    "jobs_rollup": {"minute"},
    "jobs_depthsample": {"minute"},
}


@pytest.mark.django_db
def test_the_migrations_are_up_to_date_with_the_models() -> None:
    call_command("makemigrations", "--check", "--dry-run", *OURS, verbosity=0)


def moments(app_label: str) -> list[tuple[str, str]]:
    return [
        (model._meta.db_table, str(field.column))
        for model in apps.get_app_config(app_label).get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, models.DateTimeField)
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(("table", "column"), moments("jobs"))
def test_a_moment_has_a_default_in_the_database_or_may_be_missing(table: str, column: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_default, is_nullable, data_type FROM information_schema.columns "
            "WHERE table_name = %s AND column_name = %s",
            [table, column],
        )
        ((default, nullable, kind),) = cursor.fetchall()

    assert kind == "timestamp with time zone"
    if column in LATER.get(table, set()):
        assert (default, nullable) == (None, "YES")
    elif column in GIVEN.get(table, set()):
        assert (default, nullable) == (None, "NO")
    else:
        assert default is not None
        assert "now()" in default.lower() or "statement_timestamp()" in default.lower()
        assert nullable == "NO"

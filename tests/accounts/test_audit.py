"""The audit trail is written with the change, and never changed."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError

from accounts import audit
from accounts.models import DEFAULT_TENANT, AuditEntry, Tenant


def entry() -> AuditEntry:
    return audit.record(
        actor="user:eve",
        action="job.cancel",
        object_type="job",
        object_id=7,
        tenant=Tenant.objects.get(slug=DEFAULT_TENANT),
        address="192.0.2.1",
        before={"status": "queued"},
        after={"status": "cancelled"},
    )


@pytest.mark.django_db
def test_an_entry_tells_who_did_what_to_which_object_from_where() -> None:
    written = AuditEntry.objects.get(pk=entry().pk)
    assert (written.actor, written.action, written.object_id) == ("user:eve", "job.cancel", "7")
    assert (written.address, written.after) == ("192.0.2.1", {"status": "cancelled"})
    assert written.at is not None


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE accounts_auditentry SET actor = 'user:nobody'",
        "DELETE FROM accounts_auditentry",
        "TRUNCATE accounts_auditentry",
    ],
)
def test_the_database_refuses_to_change_an_entry(change: str) -> None:
    entry()
    with connection.cursor() as cursor:
        # Deferred constraints must have been checked before a table can be truncated.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(DatabaseError, match="cannot be changed"), transaction.atomic():
            cursor.execute(change)
    assert AuditEntry.objects.get().actor == "user:eve"


@pytest.mark.django_db(transaction=True)
def test_an_entry_outside_the_changes_transaction_is_refused() -> None:
    with pytest.raises(transaction.TransactionManagementError):
        entry()
    assert not AuditEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_entry_of_an_undone_change_does_not_stay() -> None:
    with transaction.atomic():
        entry()
        transaction.set_rollback(True)
    assert not AuditEntry.objects.exists()

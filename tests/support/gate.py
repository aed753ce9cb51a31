"""A gate in the database: whoever writes to a table stands before it, in the middle of his
transaction, until it is opened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from tests.support.waiting import wait_for

# In a trigger's loop each look sees what was committed meanwhile, so the gate opens for those who
# wait already. It waits by pg_sleep, which no lock_timeout ends.
_CLOSE = """
    CREATE TABLE gate (closed boolean);
    INSERT INTO gate VALUES (true);
    CREATE FUNCTION stand_before_the_gate() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        WHILE EXISTS (SELECT FROM gate WHERE closed) LOOP
            PERFORM pg_sleep(0.01);
        END LOOP;
        RETURN NULL;
    END $$;
    CREATE TRIGGER gate AFTER INSERT OR UPDATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION stand_before_the_gate();
"""
_REMOVE = """
    DROP TRIGGER gate ON {table};
    DROP FUNCTION stand_before_the_gate;
    DROP TABLE gate;
"""
_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"


class Gate:
    """Made by `closed_gate`."""

    def open(self) -> None:
        _execute("UPDATE gate SET closed = false")

    def wait_until_reached(self) -> None:
        wait_for(self.is_reached, seconds=60, what="somebody stands before the gate", every=0.01)

    def is_reached(self) -> bool:
        """Whether somebody stands before it."""
        with connection.cursor() as cursor:
            cursor.execute(_WAITING)
            row = cursor.fetchone()
        return bool(row and row[0])


@contextmanager
def closed_gate(table: str) -> Iterator[Gate]:
    """Inside, there is one behind each INSERT into and UPDATE of this table. Opened at the end."""
    _execute(_CLOSE.format(table=table))
    gate = Gate()
    try:
        yield gate
    finally:
        gate.open()
        wait_for(lambda: not gate.is_reached(), seconds=60, what="nobody stands before the gate")
        _execute(_REMOVE.format(table=table))


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)

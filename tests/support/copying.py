"""A great many rows, where what counts is that they are there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, models
from django.db.backends.utils import CursorWrapper


@contextmanager
def unchecked() -> Iterator[CursorWrapper]:
    """A cursor for rows whose references are known to be right: to look each up takes long."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        try:
            yield cursor
        except BaseException:
            if not connection.in_atomic_block:  # where it is, the rollback undoes it
                cursor.execute("SET session_replication_role = DEFAULT")
            raise
        cursor.execute("SET session_replication_role = DEFAULT")


def copies(row: models.Model, number: int, **own: str) -> None:
    """So many more rows like this one, by one statement. `own` are columns in which they differ,
    each as SQL in which `n` counts them from 1. The key goes up with it."""
    meta = row._meta
    given = {"id": "overlay(row.id::text PLACING lpad(to_hex(n), 12, '0') FROM 25)::uuid"} | own
    columns = [str(field.column) for field in meta.concrete_fields if not field.generated]
    values = ", ".join(given.get(column, f'row."{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    with unchecked() as cursor:
        cursor.execute(
            f"""INSERT INTO {meta.db_table} ({names})
                SELECT {values} FROM {meta.db_table} AS row, generate_series(1, %s) AS n
                 WHERE row.id = %s""",
            [number, row.pk],
        )

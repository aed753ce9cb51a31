"""What is old and needed no more, each kind in small batches."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from jobs.lifecycle.statement import bound_waits

BATCH = 500
PAGE = 2000  # rows looked at, where not all that an index names can go

# Raw SQL: DELETE with a limit is more than the ORM can say. What somebody holds is passed over: it
# is being sent again, or written. `statement_timestamp()`, so that indexes are used.
DELIVERIES = """
    WITH old AS MATERIALIZED (
        SELECT id FROM webhooks_delivery
         WHERE ended_at < statement_timestamp() - %(days)s * interval '1 day'
         ORDER BY ended_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED
    ), log AS (
        DELETE FROM webhooks_deliveryattempt WHERE delivery_id IN (SELECT id FROM old)
    )
    DELETE FROM webhooks_delivery WHERE id IN (SELECT id FROM old)
"""
SECRETS = """
    DELETE FROM webhooks_signingsecret WHERE id = ANY (ARRAY(
        SELECT id FROM webhooks_signingsecret
         WHERE expires_at < statement_timestamp() - interval '1 day'
         ORDER BY expires_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED))
"""


class Oldest:
    """Removes rows by one of the statements above, at most BATCH a step; after a failure, in the
    next round."""

    is_over = False

    def __init__(self, delete: str) -> None:
        self._delete = delete

    def step(self) -> int:
        self.is_over = True
        given = {"days": settings.RETENTION_DELIVERY_DAYS, "batch": BATCH}
        with transaction.atomic(), connection.cursor() as cursor:
            bound_waits()
            cursor.execute(self._delete, given)
            removed = int(cursor.rowcount)
        self.is_over = removed < BATCH
        return removed


class Pages:
    """Walks over rows in their order, a page a step. `look` finds those after a place: the id of
    each, whether it can go, its place. `act` is done to those that can."""

    is_over = False

    def __init__(self, *, first: tuple[Any, ...], look: str, act: str) -> None:
        self._after = first
        self._look = look
        self._act = act

    def step(self) -> int:
        self.is_over = True
        page = self._next_page()
        if page:
            self._after = page[-1][2:]
        done = self._do([row[0] for row in page if row[1]])
        self.is_over = len(page) < PAGE
        return done

    def _next_page(self) -> list[tuple[Any, ...]]:
        given = {"days": settings.RETENTION_DELIVERY_DAYS, "page": PAGE}
        places = {f"after_{number}": value for number, value in enumerate(self._after)}
        with connection.cursor() as cursor:
            cursor.execute(self._look, given | places)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows

    def _do(self, ids: list[UUID]) -> int:
        done = 0
        for start in range(0, len(ids), BATCH):
            with transaction.atomic(), connection.cursor() as cursor:
                bound_waits()
                cursor.execute(self._act, {"ids": ids[start : start + BATCH]})
                done += int(cursor.rowcount)
        return done


_NIL = UUID(int=0)
# LIMIT keeps the planner from turning the look-ups into one join of whole tables, and the order
# from reading a whole table for each of them: where one endpoint has most deliveries, it expects
# that the first row will do.
_USE = """
      LEFT JOIN LATERAL (SELECT true AS yes FROM webhooks_delivery AS delivery
                          WHERE delivery.{column} = page.id
                          ORDER BY {order} LIMIT 1) AS used ON true
"""
_OF_EVENT = _USE.format(column="event_id", order="delivery.endpoint_id")
_OF_ENDPOINT = _USE.format(column="endpoint_id", order="delivery.id DESC")


def events() -> Pages:
    """Those that were told, and whose deliveries are gone. The first condition on the time is the
    index's; the second one sees to events of the same moment."""
    look = f"""
        SELECT page.id, page.due IS NULL AND used.yes IS NULL, page.created_at, page.id
          FROM (SELECT id, due, created_at FROM webhooks_event
                 WHERE created_at < statement_timestamp() - %(days)s * interval '1 day'
                   AND created_at >= %(after_0)s
                   AND (created_at, id) > (%(after_0)s, %(after_1)s)
                 ORDER BY created_at, id LIMIT %(page)s) AS page
          {_OF_EVENT}
         ORDER BY page.created_at, page.id
    """  # noqa: S608 (constants of this module; values travel as parameters)
    act = f"""
        DELETE FROM webhooks_event WHERE id = ANY (ARRAY(
            SELECT page.id FROM webhooks_event AS page {_OF_EVENT}
             WHERE page.id = ANY (%(ids)s) AND used.yes IS NULL
               FOR UPDATE OF page SKIP LOCKED))
    """  # noqa: S608 (as above)
    return Pages(first=(datetime(1, 1, 1, tzinfo=UTC), _NIL), look=look, act=act)


def unused_urls() -> Pages:
    """URLs that jobs brought, and of which nothing is told any more, are marked; a day later they
    can go: a transaction that found one meanwhile may still refer to it."""
    act = f"""
        UPDATE webhooks_endpoint SET deleted_at = statement_timestamp() WHERE id = ANY (ARRAY(
            SELECT page.id FROM webhooks_endpoint AS page {_OF_ENDPOINT}
             WHERE page.id = ANY (%(ids)s) AND used.yes IS NULL AND page.deleted_at IS NULL
               FOR NO KEY UPDATE OF page SKIP LOCKED))
    """  # noqa: S608 (as above)
    return _endpoints("is_of_jobs AND deleted_at IS NULL", since="created_at", act=act)


def endpoints() -> Pages:
    """Those that were deleted, with their secrets, when the last of their log is gone."""
    act = f"""
        WITH old AS MATERIALIZED (
            SELECT page.id FROM webhooks_endpoint AS page {_OF_ENDPOINT}
             WHERE page.id = ANY (%(ids)s) AND used.yes IS NULL
               FOR UPDATE OF page SKIP LOCKED
        ), secret AS (
            DELETE FROM webhooks_signingsecret WHERE endpoint_id IN (SELECT id FROM old)
        )
        DELETE FROM webhooks_endpoint WHERE id IN (SELECT id FROM old)
    """  # noqa: S608 (as above)
    return _endpoints("deleted_at IS NOT NULL", since="deleted_at", act=act)


def _endpoints(condition: str, *, since: str, act: str) -> Pages:
    look = f"""
        SELECT page.id,
               page.since < statement_timestamp() - interval '1 day' AND used.yes IS NULL, page.id
          FROM (SELECT id, {since} AS since FROM webhooks_endpoint
                 WHERE {condition} AND id > %(after_0)s ORDER BY id LIMIT %(page)s) AS page
          {_OF_ENDPOINT}
         ORDER BY page.id
    """  # noqa: S608 (as above)
    return Pages(first=(_NIL,), look=look, act=act)

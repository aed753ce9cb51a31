"""`Idempotency-Key`: a request that is sent again creates nothing again.

The key is a row, unique by tenant, method and path, written in the transaction of what the request
creates. So the database decides which of many requests is the first, and a request that failed
leaves no key behind.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from psycopg.errors import LockNotAvailable
from rest_framework.exceptions import ParseError
from rest_framework.request import Request

from accounts.access import Access
from accounts.api.metering import Meter, meter_of
from accounts.api.refusals import FieldRefusal, StillRunning, Unprocessable
from accounts.api.waiting import seat
from accounts.models import IdempotencyKey

KEPT_HOURS = 24
WAIT_SECONDS = 5
BRIEF_SECONDS = 0.1  # of those who may not wait long: most first requests end sooner
_FORM = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a creating call answers; `body` is JSON-able.

    `shown_once` are fields of it that are kept nowhere: in `body` they are null, and so they are in
    every later answer.
    """

    status: int
    body: dict[str, Any] = field(repr=False)
    shown_once: Mapping[str, Any] = field(default_factory=dict, repr=False)
    replayed: bool = False

    @property
    def headers(self) -> dict[str, str]:
        return {"Idempotent-Replay": "true"} if self.replayed else {}

    def first(self) -> Answer:
        """As it is given the first time."""
        return replace(self, body={**self.body, **self.shown_once}, shown_once={})


def once(request: Request, access: Access, create: Callable[[], Answer]) -> Answer:
    """`create` in one transaction, at most once for each key; without a key, simply that.

    1. The key's row is inserted. While another transaction holds the same key, this waits for
       its end, at most WAIT_SECONDS; where too many of the tenant wait already, BRIEF_SECONDS.
       Then StillRunning.
    2. The key is new, or older than KEPT_HOURS: `create` runs, its answer is kept in the row.
    3. The key is known: the same body gets the kept answer, another one Unprocessable.

    A kept answer costs nothing. The first, and one with another body, count against the rate limit
    of their kind, and what is sent away as StillRunning against the one for other calls. Where the
    first may not be counted its key is free again.
    """
    key, meter = _key(request), meter_of(request)
    with transaction.atomic():
        if key is None:
            return create().first()
        row = {
            "tenant_id": access.one_tenant.pk,
            "method": request.method,
            "path": request.path,
            "key": key,
        }
        digest = _digest(request.data, access)
        if not _is_first(row, digest, meter):
            return _kept(row, digest, meter)
        answer = create()
        IdempotencyKey.objects.filter(**row).update(status_code=answer.status, body=answer.body)
        return answer.first()


def _key(request: Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _FORM.fullmatch(key):
        raise ParseError("An Idempotency-Key has 1 to 255 visible ASCII characters.")
    return key


def _digest(body: object, access: Access) -> bytes:
    """Of the body as canonical JSON; and of the owner, whose answers another must not be shown."""
    text = json.dumps([access.principal.owner, body], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()


def is_kept(request: Request, tenant: str) -> bool:
    """Whether the request's key is known, so that it can only be answered from what is kept."""
    key = request.headers.get("Idempotency-Key", "")
    if not _FORM.fullmatch(key) or "\x00" in tenant:
        return False
    kept = _fresh().filter(tenant__slug=tenant, method=request.method, path=request.path, key=key)
    return kept.exists()


def _fresh() -> QuerySet[IdempotencyKey]:
    return IdempotencyKey.objects.filter(created_at__gte=Now() - timedelta(hours=KEPT_HOURS))


def _is_first(row: Mapping[str, Any], digest: bytes, meter: Meter | None) -> bool:
    if meter:
        meter.forgo()
    try:
        first = _take(row, digest, meter)
    except StillRunning:
        if meter:
            meter.count_as_other()
        raise
    if first and meter:
        meter.count_put_off()
    return first


def _take(row: Mapping[str, Any], digest: bytes, meter: Meter | None) -> bool:
    """Whether this request is the first of its key, known without or after a wait."""
    if _is_alone(row) or _fresh().filter(**row).exists():
        return _insert(row, digest)
    with seat(row["tenant_id"]) as taken:
        if not taken:
            if meter:
                meter.require_room_as_other()
            _wait_briefly()
        return _insert(row, digest)


# One statement, for every first request with a key sends it.
_BEGIN = """
    SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0)), set_config('lock_timeout', %s, true)
"""


def _is_alone(row: Mapping[str, Any]) -> bool:
    """Whether no other request with the key is at work. From here on locks are waited for
    WAIT_SECONDS."""
    name = " ".join(str(row[part]) for part in ("tenant_id", "method", "path", "key"))
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN, [name, f"{WAIT_SECONDS}s"])
        alone, _ = cursor.fetchone()
    return bool(alone)


def _wait_briefly() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{BRIEF_SECONDS}s'")


# The ORM cannot say which rows an upsert won. An expired row is taken over in place.
_TAKE = """
    INSERT INTO accounts_idempotencykey AS taken (tenant_id, method, path, key, request_sha256)
    VALUES (%(tenant_id)s, %(method)s, %(path)s, %(key)s, %(digest)s)
    ON CONFLICT (tenant_id, method, path, key) DO UPDATE
       SET request_sha256 = EXCLUDED.request_sha256, created_at = statement_timestamp(),
           status_code = NULL, body = NULL
     WHERE taken.created_at < statement_timestamp() - make_interval(hours => %(hours)s)
    RETURNING id
"""


def _insert(row: Mapping[str, Any], digest: bytes) -> bool:
    """Whether the key's row is this request's. Raises StillRunning where that takes too long."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(_TAKE, {**row, "digest": digest, "hours": KEPT_HOURS})
            first = cursor.fetchone() is not None
            cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise StillRunning from error
        raise
    return first


def _kept(row: Mapping[str, Any], digest: bytes, meter: Meter | None) -> Answer:
    kept = IdempotencyKey.objects.get(**row)
    if bytes(kept.request_sha256) != digest:
        if meter:
            meter.count()
        raise Unprocessable(
            [
                FieldRefusal(
                    "/Idempotency-Key", f"was used with another body in the last {KEPT_HOURS} hours"
                )
            ]
        )
    assert kept.status_code is not None  # committed together with the row
    assert kept.body is not None
    return Answer(status=kept.status_code, body=kept.body, replayed=True)

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
from dataclasses import dataclass
from typing import Any

from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable
from rest_framework.exceptions import ParseError
from rest_framework.request import Request

from accounts.access import Access
from accounts.api.refusals import FieldRefusal, StillRunning, Unprocessable
from accounts.models import IdempotencyKey

KEPT_HOURS = 24
WAIT_SECONDS = 5
_FORM = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a creating call answers; `body` is JSON-able."""

    status: int
    body: dict[str, Any]
    replayed: bool = False

    @property
    def headers(self) -> dict[str, str]:
        return {"Idempotent-Replay": "true"} if self.replayed else {}


def once(request: Request, access: Access, create: Callable[[], Answer]) -> Answer:
    """`create` in one transaction, at most once for each key; without a key, simply that.

    1. The key's row is inserted. While another transaction holds the same key, this waits for
       its end, at most WAIT_SECONDS; then StillRunning.
    2. The key is new, or older than KEPT_HOURS: `create` runs, its answer is kept in the row.
    3. The key is known: the same body gets the kept answer, another one Unprocessable.
    """
    key = _key(request)
    with transaction.atomic():
        if key is None:
            return create()
        row = {
            "tenant_id": access.one_tenant.pk,
            "method": request.method,
            "path": request.path,
            "key": key,
        }
        digest = _digest(request.data, access)
        if not _take(row, digest):
            return _kept(row, digest)
        answer = create()
        IdempotencyKey.objects.filter(**row).update(status_code=answer.status, body=answer.body)
        return answer


def _key(request: Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _FORM.fullmatch(key):
        raise ParseError("An Idempotency-Key has 1 to 255 visible ASCII characters.")
    return key


def _digest(body: object, access: Access) -> bytes:
    """Of the body as canonical JSON; and of the owner, whose answers another must not be shown."""
    text = json.dumps([access.principal.owner, body], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()


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


def _take(row: Mapping[str, Any], digest: bytes) -> bool:
    """Whether this request is the first of its key."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{WAIT_SECONDS}s'")
            cursor.execute(_TAKE, {**row, "digest": digest, "hours": KEPT_HOURS})
            first = cursor.fetchone() is not None
            cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise StillRunning from error
        raise
    return first


def _kept(row: Mapping[str, Any], digest: bytes) -> Answer:
    kept = IdempotencyKey.objects.get(**row)
    if bytes(kept.request_sha256) != digest:
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

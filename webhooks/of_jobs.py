"""The endpoints that jobs bring with them: one for each URL of a tenant, made when it is first
needed, so that requests to it go one after the other and its failures are known."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import md5

from django.db.models.functions import MD5

from webhooks.listening import Listener, listener_of
from webhooks.models import Endpoint


def listeners_of(tenant_id: int, urls: Iterable[str]) -> dict[str, Listener]:
    """The endpoint of each URL, as a listener."""
    wanted = sorted(set(urls))  # in this order they are locked, by everybody
    if not wanted:
        return {}
    known = _known(tenant_id, wanted)
    missing = [url for url in wanted if url not in known]
    if missing:
        Endpoint.objects.bulk_create(
            [Endpoint(tenant_id=tenant_id, url=url, is_of_jobs=True) for url in missing],
            ignore_conflicts=True,
        )
        known |= _known(tenant_id, missing)
    return known


def _known(tenant_id: int, urls: list[str]) -> dict[str, Listener]:
    hashes = [md5(url.encode(), usedforsecurity=False).hexdigest() for url in urls]
    rows = Endpoint.objects.alias(hash=MD5("url")).filter(
        tenant=tenant_id, is_of_jobs=True, deleted_at=None, hash__in=hashes
    )
    return {row.url: listener_of(row) for row in rows}

"""Tickets: how a browser, which can send no header with a stream, says who it is.

One is good for one stream within TICKET_SECONDS, and only for what it was asked for. They lie in
Redis, as the streams do; while that is away there are none, and watchers ask for the job instead.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import redis
from django.conf import settings

from accounts.access import Access
from accounts.api.again import known_again, remembered
from accounts.models import Tenant
from accounts.principal import Principal

TICKET_SECONDS = 60
_BYTES = 32

Filter = Mapping[str, Any]


class NoTickets(Exception):
    """Redis is away."""


def issue(access: Access, wanted: Filter) -> str:
    """Raises NoTickets."""
    ticket = secrets.token_urlsafe(_BYTES)
    told = {
        "who": remembered(access.principal),
        "tenant": access.one_tenant.slug,
        "wanted": _canonical(wanted),
    }
    _ask("SET", _key(ticket), json.dumps(told), "EX", TICKET_SECONDS)
    return ticket


def redeem(ticket: str, wanted: Filter) -> Principal | None:
    """Whoever asked for it, bound to the tenant it acted for; once. None for a ticket that is
    unknown, used, too old, for something else, or of somebody who may not call any more. Raises
    NoTickets."""
    text = _ask("GETDEL", _key(ticket))
    told = json.loads(text) if text else None
    if told is None or told["wanted"] != _canonical(wanted):
        return None
    principal = known_again(told["who"])
    tenant = Tenant.objects.filter(slug=told["tenant"]).first()
    if principal is None or tenant is None or principal.tenant not in (None, tenant):
        return None
    return replace(principal, tenant=tenant)


def _canonical(wanted: Filter) -> dict[str, Any]:
    return {name: wanted[name] for name in sorted(wanted) if wanted[name] not in (None, [])}


def _key(ticket: str) -> str:
    return f"celeriac:ticket:{ticket}"


def _ask(*command: str | int) -> Any:
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1, retry=None
        ) as client:
            return client.execute_command(*command)
    except (redis.RedisError, OSError) as error:
        raise NoTickets from error

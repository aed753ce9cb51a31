"""What the page with an endpoint's form shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from accounts.models import Tenant
from webhooks.admin import once
from webhooks.admin.forms import EndpointForm
from webhooks.admin.header_rows import spare_rows
from webhooks.admin.ways import endpoint_link, endpoints_link
from webhooks.definition import MOST_HEADERS

_HEAD = ("url", "description", "enabled")
_HEARS = ("events", "types", "queues")
_SENDING = (
    "timeout_seconds", "retry", "max_attempts", "backoff_seconds", "max_seconds", "schedule",
)  # fmt: skip


def context(form: EndpointForm, offered: Sequence[Tenant] = ()) -> dict[str, Any]:
    endpoint = form.endpoint
    return {
        "form": form,
        "endpoint": endpoint,
        "tenant": form.tenant,
        "tenants": offered if len(offered) > 1 else (),
        "head": _fields(form, _HEAD),
        "hears": _fields(form, _HEARS),
        "sending": _fields(form, _SENDING),
        "headers": [*form.headers, *spare_rows(form.headers)],
        "most_headers": MOST_HEADERS,
        "once": once.new(),
        "way_back": endpoint_link(endpoint.pk) if endpoint else endpoints_link(),
    }


def _fields(form: EndpointForm, names: Sequence[str]) -> list[Any]:
    return [form[name] for name in names if name in form.fields]

"""Refuses a start with rates that cannot be read."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from accounts.rate_limits.rates import CallKind, parse_rates, tenant_setting, token_setting


@register("celeriac")
def rates_can_be_read(**_: Any) -> list[CheckMessage]:
    """One error for each setting that is no rate."""
    tenants = [_problem(tenant_setting(kind)) for kind in CallKind]
    tokens = [_problem(token_setting(kind), may_be_empty=True) for kind in CallKind]
    return [error for error in (*tenants, *tokens) if error]


def _problem(name: str, *, may_be_empty: bool = False) -> Error | None:
    text = getattr(settings, name)
    if may_be_empty and not text:
        return None
    try:
        parse_rates(text)
    except ValueError as error:
        return Error(
            f"{name} is {text!r}: {error}.",
            hint="Write 10/m, or with other rates for some plans 10/m,premium=60/m.",
            id="celeriac.E010",
        )
    return None

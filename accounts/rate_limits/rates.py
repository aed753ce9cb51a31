"""Which rate holds for whom: the settings RATE_LIMIT_*, read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from django.conf import settings

from accounts.plans import PLANS
from accounts.rate import Rate, parse

PLATFORM = "platform"  # beside the plans' names: callers that may act for every tenant
_PLANS = frozenset({*PLANS, PLATFORM})


class CallKind(StrEnum):
    """What a call costs; each kind has windows of its own."""

    CREATE = "create"  # makes one job run, or stores a file
    BATCH = "batch"  # makes or changes many jobs at once
    OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class Rates:
    """A rate for everybody, and other ones for some plans."""

    usual: Rate
    by_plan: Mapping[str, Rate]

    def of(self, plan: str) -> Rate:
        return self.by_plan.get(plan, self.usual)


def parse_rates(text: str) -> Rates:
    """From `10/m` or `10/m,premium=60/m,platform=600/m`. Raises ValueError with a message."""
    usual, *others = text.split(",")
    by_plan: dict[str, Rate] = {}
    for other in others:
        plan, _, rate = (part.strip() for part in other.partition("="))
        if plan not in _PLANS:
            raise ValueError(f"{plan!r} is no plan; there are {', '.join(sorted(_PLANS))}")
        if plan in by_plan:
            raise ValueError(f"{plan} is named twice")
        by_plan[plan] = parse(rate)
    return Rates(usual=parse(usual), by_plan=by_plan)


def tenant_setting(kind: CallKind) -> str:
    return f"RATE_LIMIT_{kind.name}"


def token_setting(kind: CallKind) -> str:
    return f"RATE_LIMIT_TOKEN_{kind.name}"


def tenant_rate(kind: CallKind, plan: str) -> Rate:
    """Over all that a tenant of this plan sends."""
    return _parsed(getattr(settings, tenant_setting(kind))).of(plan)


def token_rate(kind: CallKind, plan: str) -> Rate | None:
    """Of one token of such a tenant; None where only its tenant is bound."""
    text = getattr(settings, token_setting(kind))
    return _parsed(text).of(plan) if text else None


_parsed = lru_cache(parse_rates)

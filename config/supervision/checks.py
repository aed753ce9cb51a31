"""Refuses a start with settings of webhooks that no process can keep up, or that make no sense."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from config.checks import TAG

MOST_THREADS = 256
MOST_ATTEMPTS = 50  # as of an endpoint's own strategy
LONGEST_BACKOFF = 86_400  # so long a circuit breaker may be open
LONGEST_PATIENCE = 3650 * 86_400


@register(TAG)
def webhook_settings_are_possible(**_: Any) -> list[CheckMessage]:
    """Report numbers under which no webhook could be sent, or none as it is meant."""
    return [error for error, is_possible in _ERRORS if not is_possible()]


# NaN is in no range.
_ERRORS: list[tuple[Error, Callable[[], bool]]] = [
    (
        Error(
            f"WEBHOOK_CONCURRENCY is not between 1 and {MOST_THREADS}.",
            hint="Unset it, which means 16. Where that is too few, start further workers as well.",
            id="celeriac.E014",
        ),
        lambda: 1 <= settings.WEBHOOK_CONCURRENCY <= MOST_THREADS,
    ),
    (
        Error(
            f"WEBHOOK_MAX_ATTEMPTS is not between 1 and {MOST_ATTEMPTS}.",
            hint="Unset it, which means 3. An endpoint may have a strategy of its own.",
            id="celeriac.E015",
        ),
        lambda: 1 <= settings.WEBHOOK_MAX_ATTEMPTS <= MOST_ATTEMPTS,
    ),
    (
        Error(
            f"WEBHOOK_TIMEOUT_SECONDS is not above 0 and at most "
            f"{settings.WEBHOOK_TIMEOUT_LONGEST}.",
            hint="Unset it, which means 10.",
            id="celeriac.E016",
        ),
        lambda: 0 < settings.WEBHOOK_TIMEOUT_SECONDS <= settings.WEBHOOK_TIMEOUT_LONGEST,
    ),
    (
        Error(
            f"WEBHOOK_BACKOFF_SECONDS is not between 0 and {LONGEST_BACKOFF}.",
            hint="Unset it, which means 30; it doubles with each failed attempt.",
            id="celeriac.E017",
        ),
        lambda: 0 <= settings.WEBHOOK_BACKOFF_SECONDS <= LONGEST_BACKOFF,
    ),
    (
        Error(
            f"WEBHOOK_DISABLE_AFTER_SECONDS is not above 0 and at most {LONGEST_PATIENCE}.",
            hint="Unset it, which means 432000, five days.",
            id="celeriac.E018",
        ),
        lambda: 0 < settings.WEBHOOK_DISABLE_AFTER_SECONDS <= LONGEST_PATIENCE,
    ),
]

"""System checks of the settings under which others could harm this installation.

In production these are errors, and web, dispatcher, worker and beat refuse to start. Production
means that others can reach the web process: HOST is no loopback address, or ALLOWED_HOSTS or
PUBLIC_URL names a host that is not this machine. On one's own machine anything goes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, register, run_checks

from config.addresses import is_loopback

TAG = "celeriac"
SHORTEST_SECRET = 32
_FEWEST_CHARACTERS = 5  # different ones: a key of one letter is long and no key
_SAMPLE = "django-insecure-"


@register(TAG)
def settings_are_safe(**_: Any) -> list[CheckMessage]:
    """Report what must not be so where others reach the web process."""
    if not is_public():
        return []
    return [error for error, holds in _ERRORS if holds()]


def is_public() -> bool:
    """Whether others than this machine's programs are to reach the web process."""
    named = [*settings.ALLOWED_HOSTS, urlsplit(settings.PUBLIC_URL).hostname or "localhost"]
    return not is_loopback(settings.HOST) or not all(map(is_loopback, named))


def is_weak_key(key: str) -> bool:
    """Whether a SECRET_KEY could be guessed, or was copied from an example."""
    too_plain = len(key) < SHORTEST_SECRET or len(set(key)) < _FEWEST_CHARACTERS
    return too_plain or key.startswith(_SAMPLE)


def is_short_token(token: str) -> bool:
    return 0 < len(token) < SHORTEST_SECRET


def refuse_unsafe_start() -> None:
    """End this process with status 1 and the reasons if a check of ours finds an error.

    For programs that do not run Django's checks by themselves, or not to that end.
    """
    errors = [found for found in run_checks(tags=[TAG]) if found.is_serious()]
    if errors:
        sys.exit(told(errors))


def told(errors: Sequence[CheckMessage]) -> str:
    """The refusal as a person reads it."""
    lines = [f"{error.id}: {error.msg}\n    {error.hint}" for error in errors]
    return "\n".join(["Celeriac does not start with unsafe settings.", *lines])


_ERRORS: list[tuple[Error, Callable[[], object]]] = [
    (
        Error(
            "DEBUG is on: error pages show settings and source to whoever meets an error.",
            hint="Unset DEBUG.",
            id="celeriac.E001",
        ),
        lambda: settings.DEBUG,
    ),
    (
        Error(
            "SECRET_KEY is short, plain or a sample: sessions could be forged and secret "
            "parameters read.",
            hint="Unset it and let Celeriac make one in CELERIAC_HOME, or set 50 random characters "
            "(python -c 'import secrets; print(secrets.token_urlsafe(48))').",
            id="celeriac.E002",
        ),
        lambda: is_weak_key(settings.SECRET_KEY),
    ),
    (
        Error(
            f"ADMIN_API_TOKEN has fewer than {SHORTEST_SECRET} characters: it can be guessed, and "
            "may do everything.",
            hint="Set a longer one, or unset it and use `manage.py tokens create`.",
            id="celeriac.E003",
        ),
        lambda: is_short_token(settings.ADMIN_API_TOKEN),
    ),
    (
        Error(
            "ALLOWED_HOSTS takes every host name: links in answers can be forged.",
            hint="Name the hosts that you serve, comma-separated.",
            id="celeriac.E004",
        ),
        lambda: "*" in settings.ALLOWED_HOSTS,
    ),
]

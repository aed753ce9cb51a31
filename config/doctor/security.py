"""Are the settings safe? What `config.checks` refuses in production is a warning elsewhere."""

from collections.abc import Callable
from urllib.parse import urlsplit

import requests
from django.conf import settings

from config.addresses import base_url, is_loopback
from config.checks import SHORTEST_SECRET, is_public, is_short_token, is_weak_key
from config.doctor.finding import Finding, fail, note, ok, warn

_FLOWER_SECONDS = 2.0


def debug() -> Finding:
    """Debug pages show settings and source to whoever meets an error."""
    if not settings.DEBUG:
        return ok("DEBUG", "off")
    return _graver_in_public()(
        "DEBUG", "on", why="Error pages show settings and source.", way_out="Unset DEBUG."
    )


def secret_key() -> Finding:
    """The key that signs sessions and encrypts secret parameters cannot be guessed."""
    if is_weak_key(settings.SECRET_KEY):
        return fail(
            "SECRET_KEY",
            f"short (below {SHORTEST_SECRET} characters), plain, or a sample",
            why="Whoever guesses it signs in as anybody and reads secret parameters.",
            way_out="Unset it and let Celeriac make one in CELERIAC_HOME, or set 50 random "
            "characters; move the old one to SECRET_KEY_FALLBACKS.",
        )
    return ok("SECRET_KEY", f"{len(settings.SECRET_KEY)} characters")


def allowed_hosts() -> Finding:
    """Requests for any host name invite forged links and cache poisoning."""
    if "*" in settings.ALLOWED_HOSTS:
        return fail(
            "ALLOWED_HOSTS",
            "takes every host name",
            why="Links in answers can be forged.",
            way_out="Set ALLOWED_HOSTS to the names that you serve, comma-separated.",
        )
    return ok("ALLOWED_HOSTS", ", ".join(settings.ALLOWED_HOSTS))


def admin_token() -> Finding:
    """The token that may do everything cannot be guessed."""
    if not settings.ADMIN_API_TOKEN:
        return ok("ADMIN_API_TOKEN", "none")
    if not is_short_token(settings.ADMIN_API_TOKEN):
        return ok("ADMIN_API_TOKEN", f"{len(settings.ADMIN_API_TOKEN)} characters")
    return _graver_in_public()(
        "ADMIN_API_TOKEN",
        f"has fewer than {SHORTEST_SECRET} characters",
        why="It can be guessed, and may do everything.",
        way_out="Set a longer one, or unset it and use: python manage.py tokens create",
    )


def tls() -> Finding:
    """Tokens and passwords do not travel in the clear."""
    if not is_public():
        return ok("TLS", "not needed: only this machine can reach the web process")
    if urlsplit(settings.PUBLIC_URL).scheme == "https":
        return ok("TLS", f"PUBLIC_URL is {settings.PUBLIC_URL}")
    return warn(
        "TLS",
        f"others reach the web process, and PUBLIC_URL is {settings.PUBLIC_URL}",
        why="Over plain http whoever listens on the way reads tokens and passwords.",
        way_out="Put a proxy with a certificate before it and set PUBLIC_URL=https://…; cookies "
        "are then sent over TLS only.",
    )


def flower() -> Finding:
    """Flower lets nobody in without a login."""
    url = base_url(settings.HOST, settings.FLOWER_PORT)
    try:
        status = requests.get(url, timeout=_FLOWER_SECONDS, allow_redirects=False).status_code
    except requests.RequestException:
        return note(
            "Flower",
            f"nothing answers at {url}",
            why="Whether it asks for a login could not be seen.",
            way_out="If it runs elsewhere, set FLOWER_PORT here as for `up`.",
        )
    if status != requests.codes.ok:
        return ok("Flower", "asks for a login")
    report = warn if is_loopback(settings.HOST) else fail
    return report(
        "Flower",
        f"{url} lets everybody in",
        why="It shows what runs, and can stop workers.",
        way_out="Set FLOWER_BASIC_AUTH=USER:PASSWORD and restart it.",
    )


def _graver_in_public() -> Callable[..., Finding]:
    return fail if is_public() else warn

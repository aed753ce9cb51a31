"""Refuses a start with settings of outgoing calls that do not mean what they seem to."""

from __future__ import annotations

import ssl
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from config.checks import TAG
from jobs.egress.allowed import unreadable


@register(TAG)
def egress_settings_can_be_read(**_: Any) -> list[CheckMessage]:
    """One error for each unreadable entry of EGRESS_ALLOW, and one for an EGRESS_CA_FILE without
    certificates."""
    findings: list[CheckMessage] = [_unreadable(text) for text in unreadable(settings.EGRESS_ALLOW)]
    if settings.EGRESS_CA_FILE and not _has_certificates(settings.EGRESS_CA_FILE):
        findings.append(_NO_AUTHORITIES)
    return findings


def _has_certificates(path: str) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except OSError:
        return False
    return True


def _unreadable(text: str) -> Error:
    return Error(
        f"EGRESS_ALLOW has {text!r}, which is no host and port.",
        hint="Write host:port, as in the URLs that are to be called (localhost:11434,"
        "hooks.internal:8080,[fd00::7]:443): no scheme, no path, no networks, no *.",
        id="celeriac.E012",
    )


_NO_AUTHORITIES = Error(
    "EGRESS_CA_FILE names a file that holds no certificates or cannot be read.",
    hint="Name a PEM file with the certificates of your own authorities, or unset it.",
    id="celeriac.E013",
)

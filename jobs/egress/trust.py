"""Whose certificates are believed: the public authorities, and those of EGRESS_CA_FILE."""

from __future__ import annotations

import ssl
from functools import lru_cache

from certifi import where
from django.conf import settings

from jobs.egress.lines import BoundedTLSSocket


def tls_context() -> ssl.SSLContext:
    """One for all calls of the process. It always verifies the certificate and its name."""
    return _context(settings.EGRESS_CA_FILE)


@lru_cache(maxsize=4)
def _context(own_authorities: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=where())
    if own_authorities:
        context.load_verify_locations(cafile=own_authorities)
    context.sslsocket_class = BoundedTLSSocket
    return context

"""Links that can be followed for LINK_SECONDS by whoever has them, without a token.

A link says whose it is and until when, and carries a signature by SECRET_KEY of both and of the
artifact's id: whether it is good is known without asking the database. It is no row: nothing is
written for it, and none can be taken back before its time.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, Signer

PARAMETER = "link"
_SALT = "jobs.artifacts.links"


@dataclass(frozen=True, kw_only=True)
class Good:
    """What a good link says: its artifact's tenant, and how long it stays good."""

    tenant_id: int
    seconds: float


def address(artifact_id: UUID, tenant_id: int, *, now: float | None = None) -> str:
    """The whole address of an artifact, good from now on for a while."""
    until = int(time.time() if now is None else now) + settings.LINK_SECONDS
    signed = _signer().sign(_words(artifact_id, f"{tenant_id}-{until}"))
    link = signed.rpartition(".")[2]  # `tenant-until:signature`
    base = settings.PUBLIC_URL.rstrip("/")
    return f"{base}/api/v1/artifacts/{artifact_id}?{PARAMETER}={link}"


def opened(link: str, artifact_id: UUID, *, now: float | None = None) -> Good | None:
    """What the link says; None where it is wrong or late."""
    try:
        _signer().unsign(_words(artifact_id, link))
    except BadSignature:
        return None
    tenant_id, _, until = link.partition(":")[0].partition("-")
    seconds = int(until) - (time.time() if now is None else now)
    return Good(tenant_id=int(tenant_id), seconds=seconds) if seconds > 0 else None


def _signer() -> Signer:
    return Signer(salt=_SALT)  # by itself it knows SECRET_KEY_FALLBACKS


def _words(artifact_id: UUID, rest: str) -> str:
    return f"{artifact_id.hex}.{rest}"

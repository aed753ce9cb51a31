"""Taking a file in, and giving it up.

1. The bytes are written to the storage, with no transaction open.
2. The row is written, in the caller's transaction. Only with its commit the file exists.

A crash between the two leaves bytes that nobody can name; `jobs.files.sweeping` removes them.
Giving a file up goes the other way round, for the same reason.
"""

from __future__ import annotations

import hashlib
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core.files.base import File
from django.db import transaction
from django.utils import timezone

from accounts.models import Tenant
from jobs.files import names
from jobs.files.shelf import FILES, Bytes
from jobs.models import StoredFile


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """A file on its way in: its bytes, and what the sender says of it."""

    content: File[bytes]
    name: str
    content_type: str
    size: int
    sha256: str


def incoming(content: File[bytes], *, name: str, content_type: str) -> Incoming:
    """The file with its words made harmless and its digest taken."""
    digest, size = hashlib.sha256(), 0
    for chunk in content.chunks():
        digest.update(chunk)
        size += len(chunk)
    return Incoming(
        content=content,
        name=names.cleaned(name),
        content_type=names.media_type(content_type),
        size=size,
        sha256=digest.hexdigest(),
    )


def bytes_kept(file: Incoming) -> AbstractContextManager[Bytes]:
    """Write the bytes; inside, `keep` makes them a file."""
    return FILES.holding(file.content)


def keep(file: Incoming, kept: Bytes, *, tenant: Tenant, owner: str, created_by: str) -> StoredFile:
    """The row of a file whose bytes lie in the storage."""
    expires_at = timezone.now() + timedelta(hours=settings.RETENTION_FILE_HOURS)
    row = StoredFile.objects.create(
        tenant=tenant,
        owner=owner,
        name=file.name,
        content_type=file.content_type,
        size=file.size,
        sha256=file.sha256,
        storage_name=kept.name,
        created_by=created_by,
        expires_at=expires_at,
    )
    kept.is_named = True
    return row


def store(
    content: File[bytes],
    *,
    tenant: Tenant,
    name: str,
    content_type: str = "",
    owner: str = "",
    created_by: str = "",
) -> StoredFile:
    """Take a file in from Python, in a transaction of its own."""
    file = incoming(content, name=name, content_type=content_type)
    with bytes_kept(file) as kept, transaction.atomic():
        return keep(file, kept, tenant=tenant, owner=owner, created_by=created_by)

"""A storage for the files of one test, and what lies in it."""

from __future__ import annotations

import io
from pathlib import Path

from django.core.files.base import File
from pytest_django import Settings

from accounts.models import Tenant
from jobs.files.storing import store
from jobs.models import StoredFile


def storage_at(directory: Path, settings: Settings, alias: str = "files") -> Path:
    """From now on, until the test ends, files (or artifacts) are stored here."""
    own = {**settings.STORAGES[alias]}
    own["OPTIONS"] = {**own["OPTIONS"], "location": str(directory)}
    settings.STORAGES = {**settings.STORAGES, alias: own}
    return directory


def stored_paths(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


def stored(
    tenant: Tenant, content: bytes = b"some text", *, name: str = "notes.txt", owner: str = ""
) -> StoredFile:
    return store(File(io.BytesIO(content)), tenant=tenant, name=name, owner=owner)

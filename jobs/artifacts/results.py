"""A result that is too large for the job's row: JSON in the storage, and an artifact that tells."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.core.files.base import ContentFile

from jobs.artifacts.stored import Stored
from jobs.files.shelf import ARTIFACTS

NAME = "result.json"
CONTENT_TYPE = "application/json"


def write(text: bytes) -> Stored:
    """Put the JSON into the storage. No row names it yet. Raises OSError."""
    return Stored(
        storage_name=ARTIFACTS.put(ContentFile(text)),
        name=NAME,
        content_type=CONTENT_TYPE,
        size=len(text),
        sha256=hashlib.sha256(text).hexdigest(),
    )


def read(storage_name: str) -> Any:
    """The value. Raises FileNotFoundError, or another OSError where the storage fails."""
    with ARTIFACTS.storage.open(storage_name, "rb") as file:
        return json.loads(file.read())

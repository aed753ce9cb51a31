"""What a job's code returned, as it is kept: JSON in the row, or, if large, in the storage."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from pydantic_core import PydanticSerializationError, to_jsonable_python

from jobs.artifacts import results
from jobs.worker import outcome as outcomes
from jobs.worker.outcome import Completed, Failed
from jobs.worker.revealing import Secrets

MAX_RESULT_BYTES = 1024 * 1024  # in the row


@dataclass(frozen=True, kw_only=True)
class Large:
    """A result, as JSON, that the row does not take."""

    text: bytes

    def stored(self) -> Completed:
        """Write it to the storage. Raises OSError."""
        return Completed(result=None, stored=results.write(self.text))


def kept(result: Any, secrets: Secrets = tuple) -> Completed | Large | Failed:
    """A return value as JSON, or the failure that it is none, which shows no secret: making it so
    may run job code, that of a generator."""
    try:
        value = to_jsonable_python(result)
        text = json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (PydanticSerializationError, ValueError, TypeError, RecursionError) as error:
        described = outcomes.described(error, secrets())
        return Failed(error=described | {"type": "result_not_json"})
    except Exception as error:  # noqa: BLE001 (as above, and memory used up)
        return Failed(error=outcomes.described(error, secrets()))
    if b"\\u0000" in text.replace(b"\\\\", b""):  # as in jobs.payload
        return _failed("result_not_json", "The result contains a NUL.")
    if len(text) > settings.RESULT_MAX_BYTES:
        message = f"The result has {len(text)} bytes; {settings.RESULT_MAX_BYTES} are allowed."
        return _failed("result_too_large", message)
    return Large(text=text) if len(text) > MAX_RESULT_BYTES else Completed(result=value)


def _failed(kind: str, message: str) -> Failed:
    return Failed(error={"type": kind, "message": message, "details": {}})

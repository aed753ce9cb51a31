"""Types of fields whose bounds the published schema tells and `jobs.options` checks, so that all
that is wrong with a job is said at once."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from jobs.duplicates import MAX_SECONDS
from jobs.options import (
    MAX_DELAY_SECONDS,
    MAX_KEY_LENGTH,
    MAX_LABELS,
    MAX_RETRIES,
    MAX_TIMEOUT_SECONDS,
)


def _told(**schema: Any) -> Any:
    return Field(json_schema_extra=schema)


Delay = Annotated[float, Field(ge=0), _told(maximum=MAX_DELAY_SECONDS)]
Retries = Annotated[int, _told(minimum=0, maximum=MAX_RETRIES)]
Timeout = Annotated[int, _told(minimum=1, maximum=MAX_TIMEOUT_SECONDS)]
Stretch = Annotated[float, _told(exclusiveMinimum=0, maximum=MAX_SECONDS)]
ShortText = Annotated[str, _told(maxLength=MAX_KEY_LENGTH)]
Labels = Annotated[
    dict[str, str],
    _told(
        maxProperties=MAX_LABELS,
        propertyNames={"minLength": 1, "maxLength": MAX_KEY_LENGTH},
        additionalProperties={"type": "string", "maxLength": MAX_KEY_LENGTH},
    ),
]


def either(one: str, other: str) -> dict[str, Any]:
    """For the schema of an object: exactly one of two fields is there and not null."""
    return {"oneOf": [{"required": [name], "properties": {name: {"not": {"type": "null"}}}}
                      for name in (one, other)]}  # fmt: skip

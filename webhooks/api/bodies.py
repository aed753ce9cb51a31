"""What the calls about webhooks take."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from django.conf import settings
from pydantic import ConfigDict, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from accounts.api import bodies
from accounts.api.bodies import Moment
from jobs.webhook_url import MOST_CHARACTERS
from webhooks import definition, secrets
from webhooks.api.documents import NewEndpointDocument
from webhooks.definition import Definition, looked_at
from webhooks.policies import EventName
from webhooks.retrying import LONGEST_WAIT, MOST_ATTEMPTS


def _told(**schema: Any) -> Any:
    """For the published schema; `webhooks.definition` checks it, so that all is said at once."""
    return Field(json_schema_extra=schema)


_WAIT = {"type": "number", "minimum": 0, "maximum": LONGEST_WAIT}
_BACKOFF = {
    "type": "object",
    "properties": {
        "max_attempts": {"type": "integer", "minimum": 1, "maximum": MOST_ATTEMPTS},
        "backoff_seconds": _WAIT,
        "max_seconds": {"type": "number", "minimum": 1, "maximum": LONGEST_WAIT},
    },
    "additionalProperties": False,
}
_SCHEDULE = {
    "type": "object",
    "properties": {"schedule": {"type": "array", "items": _WAIT, "maxItems": MOST_ATTEMPTS - 1}},
    "required": ["schedule"],
    "additionalProperties": False,
}

URL = Annotated[
    str, _told(format="uri", pattern="^[Hh][Tt][Tt][Pp][Ss]?://", maxLength=MOST_CHARACTERS)
]
Description = Annotated[str, _told(maxLength=definition.MOST_DESCRIBED)]
Events = Annotated[
    list[str],
    _told(maxItems=definition.MOST_NAMES, items={"type": "string", "enum": EventName.values}),
]
Names = Annotated[list[str], _told(maxItems=definition.MOST_NAMES)]
Headers = Annotated[
    dict[str, str],
    _told(
        maxProperties=definition.MOST_HEADERS,
        propertyNames={"minLength": 1, "maxLength": 100},
        additionalProperties={"type": "string", "maxLength": definition.MOST_HEADER_BYTES},
    ),
]
Timeout = Annotated[int, _told(minimum=1, maximum=settings.WEBHOOK_TIMEOUT_LONGEST)]
Retry = Annotated[dict[str, Any], WithJsonSchema({"oneOf": [_BACKOFF, _SCHEDULE]})]


class Body(bodies.Body):
    """The same, of the calls about webhooks."""

    read_only = frozenset(NewEndpointDocument.model_fields)


class NewEndpoint(Body):
    """An endpoint. Left out or empty, `events`, `types` and `queues` mean all; `timeout_seconds`
    and `retry` are as configured. `retry`: some of `max_attempts`, `backoff_seconds` and
    `max_seconds`, or `schedule`, the seconds to wait after each attempt that failed."""

    url: URL
    description: Description = ""
    events: Events = Field(default_factory=list)
    types: Names = Field(default_factory=list)
    queues: Names = Field(default_factory=list)
    headers: Headers = Field(default_factory=dict)
    timeout_seconds: Timeout | None = None
    retry: Retry | None = None
    enabled: bool = True

    def definition(self) -> Definition:
        """Resolves the URL's name, so call it before any transaction."""
        given = {name: getattr(self, name) for name in type(self).model_fields}
        return Definition(**{**given, "url": looked_at(self.url)})


_LEFT_OUT: Any = None  # what `model_fields_set` tells apart from any value


class EndpointChange(Body):
    """What is left out stays. `***` leaves the value of a header as it is; a header that is not
    named is removed."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    url: URL = _LEFT_OUT
    description: Description = _LEFT_OUT
    events: Events = _LEFT_OUT
    types: Names = _LEFT_OUT
    queues: Names = _LEFT_OUT
    headers: Headers = _LEFT_OUT
    timeout_seconds: Timeout | None = None
    retry: Retry | None = None
    enabled: bool = _LEFT_OUT

    @model_validator(mode="after")
    def _something(self) -> EndpointChange:
        if not self.model_fields_set:
            raise PydanticCustomError("rule", "names no field to change")
        return self

    @property
    def changes(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.model_fields_set}


class Rotation(Body):
    """For so long the secret before signs as well."""

    keep_seconds: Annotated[int, Field(ge=0, le=secrets.LONGEST_OVERLAP)] = secrets.OVERLAP


class Nothing(Body):
    """No fields."""


class Enabling(Body):
    """With `replay_since` what failed or was missed since then is sent again."""

    replay_since: Moment | None = None


class Which(StrEnum):
    FAILED = "failed"
    ALL = "all"


class Replay(Body):
    """What was to be told from `since` on and before `until`: what failed or was missed, or all.
    `after` goes on where the call before ended, and is the `next` of its answer."""

    since: Moment
    until: Moment | None = None
    after: Annotated[UUID | None, Field(strict=False)] = None
    status: Annotated[Which, Field(strict=False)] = Which.FAILED

"""What the calls about schedules take."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from accounts.api import bodies
from accounts.api.bodies import Moment
from jobs.api.bodies import JobId, Priority, WebhookURL
from jobs.api.bounds import Labels, Retries, ShortText, Timeout
from jobs.webhook_url import Judge
from scheduling import definition, previewing
from scheduling.api.documents import ScheduleDocument
from scheduling.cron import DstPolicy
from scheduling.cron.expression import MAX_LENGTH
from scheduling.definition import Definition
from scheduling.policies import Misfire, Overlap


def _told(**schema: Any) -> Any:
    """For the published schema; `scheduling.definition` checks it, so that all is said at once."""
    return Field(json_schema_extra=schema)


Name = Annotated[str, _told(minLength=1, maxLength=definition.MOST_CHARACTERS)]
Expression = Annotated[str, _told(minLength=1, maxLength=MAX_LENGTH, examples=["0 2 * * *"])]
Description = Annotated[str, _told(maxLength=definition.MOST_DESCRIBED)]
Zone = Annotated[str, _told(examples=["Europe/Amsterdam"])]
Dst = Annotated[DstPolicy, Field(strict=False)]
OnOverlap = Annotated[Overlap, Field(strict=False)]
OnMisfire = Annotated[Misfire, Field(strict=False)]
Limit = Annotated[int, _told(minimum=1, maximum=definition.MOST_MISFIRES)]
Jitter = Annotated[int, _told(minimum=0, maximum=definition.MOST_JITTER)]
CalendarIds = Annotated[list[JobId], _told(maxItems=definition.MOST_CALENDARS)]


class Body(bodies.Body):
    """The same, of the calls about schedules."""

    read_only = frozenset(ScheduleDocument.model_fields)


class NewSchedule(Body):
    """A schedule, whole. What is left out takes the default that stands here, or is decided by the
    job type and the tenant's plan."""

    name: Name
    type: str
    cron_expression: Expression
    description: Description = ""
    queue: str | None = None
    priority: Priority | None = None
    payload: dict[str, Any] = Field(default_factory=dict)
    max_retries: Retries | None = None
    timeout_seconds: Timeout | None = None
    labels: Labels = Field(default_factory=dict)
    webhook_url: WebhookURL | None = None
    owner: ShortText | None = None
    timezone: Zone = "UTC"
    dst_policy: Dst = DstPolicy.ONCE
    enabled: bool = True
    overlap: OnOverlap = Overlap.ALLOW
    misfire: OnMisfire = Misfire.RUN_ONCE
    misfire_limit: Limit = 100
    jitter_seconds: Jitter = 0
    calendar_ids: CalendarIds = Field(default_factory=list)
    starts_at: Moment | None = None
    ends_at: Moment | None = None

    def definition(self, owner: str) -> Definition:
        return Definition(**{**fields_of(self, type(self).model_fields), "owner": owner})


_LEFT_OUT: Any = None  # what `model_fields_set` tells apart from any value


class ScheduleChange(Body):
    """What is left out stays. `***` in a payload leaves that secret as it is."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    name: Name = _LEFT_OUT
    type: str = _LEFT_OUT
    cron_expression: Expression = _LEFT_OUT
    description: Description = _LEFT_OUT
    queue: str | None = None
    priority: Priority | None = None
    payload: dict[str, Any] = _LEFT_OUT
    max_retries: Retries | None = None
    timeout_seconds: Timeout | None = None
    labels: Labels = _LEFT_OUT
    webhook_url: WebhookURL | None = None
    owner: ShortText | None = None
    timezone: Zone = _LEFT_OUT
    dst_policy: Dst = _LEFT_OUT
    enabled: bool = _LEFT_OUT
    overlap: OnOverlap = _LEFT_OUT
    misfire: OnMisfire = _LEFT_OUT
    misfire_limit: Limit = _LEFT_OUT
    jitter_seconds: Jitter = _LEFT_OUT
    calendar_ids: CalendarIds = _LEFT_OUT
    starts_at: Moment | None = None
    ends_at: Moment | None = None

    @model_validator(mode="after")
    def _something(self) -> ScheduleChange:
        require_something(self)
        return self

    @property
    def changes(self) -> dict[str, Any]:
        return fields_of(self, self.model_fields_set)


class Toggle(Body):
    """Without `enabled` a schedule that is on is switched off, and one that is off, on."""

    enabled: bool | None = None


class Preview(Body):
    """When a schedule with this rule would run. `owner`: whose calendars it may name, beside
    everybody's."""

    cron_expression: Expression
    timezone: Zone = "UTC"
    count: Annotated[int, Field(ge=1, le=previewing.MOST)] = 5
    dst_policy: Dst = DstPolicy.ONCE
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    calendar_ids: CalendarIds = Field(default_factory=list)
    owner: ShortText | None = None

    def definition(self, owner: str) -> Definition:
        rule = set(type(self).model_fields) - {"count"}
        return Definition(**{**fields_of(self, rule), "name": "", "type": "", "owner": owner})


class Backfill(Body):
    """The moments from `from` to before `to`; both are past."""

    start: Annotated[Moment, Field(alias="from")]
    end: Annotated[Moment, Field(alias="to")]
    dry_run: bool = False


def require_something(body: BaseModel) -> None:
    if not body.model_fields_set:
        raise PydanticCustomError("rule", "names no field to change")


def fields_of(body: BaseModel, names: Any) -> dict[str, Any]:
    """Its fields of these names, as `Definition` has them; a webhook's URL is looked at."""
    given = {name: _plain(getattr(body, name)) for name in names}
    if "webhook_url" in given:
        given["webhook_url"] = Judge()(given["webhook_url"] or "")
    return given


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    is_ids = isinstance(value, list) and all(isinstance(one, UUID) for one in value)
    return tuple(value) if is_ids else value

"""What the calls over many jobs take and answer."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from django.db.models import Q
from django.http import QueryDict
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from accounts.api.refusals import FieldRefusal, Unprocessable
from jobs import priorities
from jobs.api.bodies import Body, JobId
from jobs.api.bounds import either
from jobs.api.filters import FILTERS, REPEATABLE, condition
from jobs.bulk import MOST, Done
from jobs.exceptions import pointer
from jobs.states import Status

# They stand in the audit trail as they were asked.
FilterValue = Annotated[str, Field(max_length=1_000)]
FilterValues = Annotated[
    list[FilterValue],
    Field(max_length=50),
    AfterValidator(lambda given: list(dict.fromkeys(given))),
]
Ids = Annotated[list[JobId], Field(min_length=1, max_length=MOST)]


class Chosen(Body):
    """The jobs by their ids, or by the filters of the list of jobs; either, not both. `dry_run`
    only looks what would be done."""

    model_config = ConfigDict(json_schema_extra=either("job_ids", "filter"))

    job_ids: Ids | None = None
    filter: Annotated[
        dict[str, FilterValue | bool | FilterValues] | None,
        Field(
            min_length=1,
            description=f"Any of {', '.join(FILTERS)}.",
            json_schema_extra={"propertyNames": {"enum": list(FILTERS)}},
        ),
    ] = None
    dry_run: bool = False

    @model_validator(mode="after")
    def _either(self) -> Chosen:
        if (self.job_ids is None) == (self.filter is None):
            raise PydanticCustomError("either", "either job_ids or filter is needed")
        return self


class ChosenToBoost(Chosen):
    boost: Annotated[int, Field(ge=1, le=priorities.HIGHEST)]


class NewStatus(Body):
    """Running jobs can be set to queued or failed, waiting ones to cancelled or failed, failed and
    cancelled ones to queued."""

    job_ids: Ids
    status: Literal["queued", "failed", "cancelled"]


class DryRun(Body):
    dry_run: bool = False


class BulkResult(BaseModel):
    """`status` as it is now. `error` is null where the job was changed, or would be."""

    job_id: UUID
    status: Status | None
    error: Literal["not_found", "conflict", "unique_key_taken", "file_gone"] | None


class BulkDocument(BaseModel):
    """`matched` jobs were found, `changed` of them were changed. `more`: there are others, for
    another call."""

    matched: int
    changed: int
    results: list[BulkResult]
    more: bool


def condition_of(filter: dict[str, str | bool | list[str]]) -> Q:
    """As the list of jobs would be asked. Raises Unprocessable, pointing into `filter`."""
    query, refusals = QueryDict(mutable=True), []
    for name, value in filter.items():
        if name not in FILTERS:
            refusals.append(FieldRefusal(pointer("filter", name), "unknown filter"))
        elif isinstance(value, list) and (name not in REPEATABLE or not value):
            refusals.append(FieldRefusal(pointer("filter", name), "one value is needed"))
        else:
            query.setlist(name, value if isinstance(value, list) else [_text(value)])
    if refusals:
        raise Unprocessable(refusals)
    try:
        return condition(query)
    except Unprocessable as error:
        inside = [FieldRefusal(f"/filter{one.pointer}", one.detail) for one in error.errors]
        raise Unprocessable(inside) from None


def _text(value: str | bool) -> str:
    return value if isinstance(value, str) else str(value).lower()


def bulk_document(done: Done) -> dict[str, Any]:
    return {
        "matched": done.matched,
        "changed": done.changed,
        "results": [
            {
                "job_id": str(one.job_id),
                "status": one.status.value if one.status else None,
                "error": one.error,
            }
            for one in done.results
        ],
        "more": done.more,
    }

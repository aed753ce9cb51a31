"""What POST /batches takes: a list of jobs, or one type with a list of payloads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import (
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from jobs.api.bodies import HowToRun, NewJob, refusals_in
from jobs.batches import MOST_JOBS
from jobs.enqueue import MOST_EDGES, MOST_REPLACING
from jobs.exceptions import FieldError, InvalidOptions, pointer
from jobs.webhook_url import Judge

_MOST_NAME = 255
_OWN = frozenset({"name", "jobs", "on_complete", "on_failure", "atomic"})


def _or_refused(given: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    """An item that is no job is refused by itself."""
    try:
        return validate(given)
    except ValidationError as error:
        return InvalidOptions([FieldError(*one) for one in refusals_in(error)])


if TYPE_CHECKING:
    Item = NewJob | InvalidOptions
    Payload = dict[str, Any] | InvalidOptions
else:
    Item = Annotated[NewJob, WrapValidator(_or_refused)]
    Payload = Annotated[dict[str, Any], WrapValidator(_or_refused)]
_Number = Field(min_length=1, max_length=MOST_JOBS)


def _either_form(schema: dict[str, Any]) -> None:
    """The rule of `NewBatch._one_form`, for the published schema."""
    beside_items = [name for name in schema["properties"] if name not in _OWN]
    schema["oneOf"] = [
        {
            "required": ["jobs"],
            "properties": {"jobs": {"type": "array"}, **dict.fromkeys(beside_items, False)},
        },
        {
            "required": ["type", "items"],
            "properties": {
                "jobs": {"type": "null"},
                "type": {"type": "string"},
                "items": {"type": "array"},
            },
        },
    ]


class NewBatch(HowToRun):
    """Jobs to be counted together: `jobs`, each of its own, or `type` and `items`, one payload a
    job; what else is said beside `items` holds for each of them."""

    model_config = ConfigDict(json_schema_extra=_either_form)

    name: Annotated[str, Field(max_length=_MOST_NAME)] = ""
    jobs: Annotated[list[Item], _Number] | None = None
    type: str | None = None
    items: Annotated[list[Payload], _Number] | None = None
    on_complete: NewJob | None = None
    on_failure: NewJob | None = None
    atomic: bool = False

    @model_validator(mode="after")
    def _one_form(self) -> NewBatch:
        if (self.jobs is None) == (self.items is None):
            raise _rule("needs either jobs, or type and items")
        if self.jobs is not None and (foreign := sorted(self.model_fields_set - _OWN)):
            raise _rule(f"{', '.join(foreign)}: only beside items")
        if self.items is not None and self.type is None:
            raise _rule("items need a type")
        return self

    @property
    def place(self) -> str:
        """Where its items stand in the document."""
        return "/items" if self.jobs is None else "/jobs"

    def each(self) -> list[Item]:
        """Raises InvalidOptions where they are too much together, before any is looked at."""
        self._refuse_too_many()
        if self.jobs is not None:
            return self.jobs
        shared = {name: getattr(self, name) for name in HowToRun.model_fields}
        return [
            payload
            if isinstance(payload, InvalidOptions)
            else NewJob.model_construct(type=self.type, payload=payload, **shared)
            for payload in self.items or ()
        ]

    def judged(self, judge: Judge | None = None) -> Self:
        """Each URL of the whole batch once, however many of its jobs name it."""
        judge = judge or Judge()
        calls = {"on_complete": self.on_complete, "on_failure": self.on_failure}
        changed: dict[str, Any] = {name: one.judged(judge) for name, one in calls.items() if one}
        if self.jobs is not None:
            changed["jobs"] = [
                one if isinstance(one, InvalidOptions) else one.judged(judge) for one in self.jobs
            ]
        return super().judged(judge).model_copy(update=changed)

    def _refuse_too_many(self) -> None:
        edges = replacing = 0
        alike = len(self.items or ())
        jobs: list[tuple[HowToRun, str, int]]
        jobs = [(self, "", alike)] if self.jobs is None else self._placed(self.jobs)
        for job, place, times in jobs:
            edges += times * len(job.depends_on)
            replacing += times * job.may_replace
            if edges > MOST_EDGES:
                raise _refused(f"{place}/depends_on", f"at most {MOST_EDGES:,} of a batch together")
            if replacing > MOST_REPLACING:
                name = "on_duplicate" if job.debounce_seconds is None else "debounce_seconds"
                text = f"at most {MOST_REPLACING} jobs of a batch may replace or debounce"
                raise _refused(f"{place}/{name}", text)

    @staticmethod
    def _placed(jobs: list[Item]) -> list[tuple[HowToRun, str, int]]:
        return [
            (job, pointer("jobs", index), 1)
            for index, job in enumerate(jobs)
            if not isinstance(job, InvalidOptions)
        ]


def _refused(place: str, text: str) -> InvalidOptions:
    return InvalidOptions([FieldError(place, text)])


def _rule(reason: str) -> PydanticCustomError:
    return PydanticCustomError("rule", "{reason}", {"reason": reason})

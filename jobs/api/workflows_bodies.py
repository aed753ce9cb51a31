"""What POST /workflows takes: named steps, each a job and the steps that it comes after."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, model_validator

from jobs.api.bodies import Body, NewJob
from jobs.models import OnFailure
from jobs.options import MAX_KEY_LENGTH
from jobs.step_results import STEP_NAME
from jobs.webhook_url import Judge
from jobs.workflows.graph import MOST_EDGES, MOST_STEPS

_NAMES: dict[str, Any] = {"propertyNames": {"pattern": f"^{STEP_NAME}$"}}


def _or_name(schema: dict[str, Any]) -> None:
    whole = dict(schema)
    schema.clear()
    schema["anyOf"] = [{"type": "string"}, whole]


class AfterStep(Body):
    """A step to wait for, and what its failure means. The name alone stands for `cancel`."""

    model_config = ConfigDict(json_schema_extra=_or_name)

    step: str
    on_failure: Annotated[OnFailure, Field(strict=False)] = OnFailure.CANCEL

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, given: Any) -> Any:
        return {"step": given} if isinstance(given, str) else given


class NewStep(NewJob):
    """A job of a workflow. `after` are steps, `depends_on` jobs outside of it. In its payload
    `{"$result": "step.key.0"}` takes the result of a step before it."""

    after: Annotated[list[AfterStep], Field(max_length=MOST_EDGES)] = Field(default_factory=list)


class NewWorkflow(Body):
    """Jobs that wait for each other, by their names. Their owner is the workflow's."""

    name: Annotated[str, Field(max_length=MAX_KEY_LENGTH)] = ""
    owner: str | None = None
    steps: Annotated[
        dict[str, NewStep],
        Field(min_length=1, max_length=MOST_STEPS, json_schema_extra=_NAMES),
    ]

    def judged(self) -> Self:
        """The same, each webhook URL of its steps looked at once."""
        judge = Judge()
        steps = {name: step.judged(judge) for name, step in self.steps.items()}
        return self.model_copy(update={"steps": steps})

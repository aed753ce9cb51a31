"""The steps of a workflow as they are handed in, and the usual shapes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from jobs.models import OnFailure
from jobs.options import JobOptions
from jobs.step_results import KEY


@dataclass(frozen=True, kw_only=True)
class After:
    """Wait for this step to end; what its failure means is `on_failure`'s to say."""

    step: str
    on_failure: OnFailure = OnFailure.CANCEL


@dataclass(frozen=True, kw_only=True)
class Step:
    """A job of a workflow. `after` names steps; `options.depends_on` jobs outside of it."""

    type_name: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    options: JobOptions = field(default_factory=JobOptions)
    after: Sequence[After | str] = ()

    @property
    def edges(self) -> list[After]:
        return [After(step=one) if isinstance(one, str) else one for one in self.after]


Steps = Mapping[str, Step]


def behind(steps: Steps, *names: After | str) -> dict[str, Step]:
    """The same steps, each of them also after these: `behind(parts, "split")` fans out,
    `behind(last, *parts)` gathers."""
    return {name: replace(step, after=(*step.after, *names)) for name, step in steps.items()}


def chain(steps: Steps) -> dict[str, Step]:
    """The same steps, each of them also after the one before it."""
    chained: dict[str, Step] = {}
    for name, step in steps.items():
        chained |= behind({name: step}, *list(chained)[-1:])
    return chained


def result(text: str) -> dict[str, str]:
    """What stands in a payload for an earlier step's result: `result("fetch.items.0")`."""
    return {KEY: text}

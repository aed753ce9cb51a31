"""The edges of a workflow: those that were named, and one for each result that a step takes.

Whatever a step refers to it also waits for. So the result is found by the step's own edges, and is
kept as long as a step that takes it has not ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from jobs.exceptions import FieldError, pointer
from jobs.models import Dependency, Job, OnFailure
from jobs.step_results import Reference
from jobs.workflows import graph
from jobs.workflows.graph import Edges
from jobs.workflows.steps import After, Steps

Taken = Mapping[str, Sequence[Reference]]  # by step, what it takes from others

_ASTRAY = "takes the result of {!r}, which is no step before this one (see `after`)"


def astray(edges: Edges, taken: Taken) -> list[FieldError]:
    """Each reference to a step that is not, directly or by way of others, before it."""
    wanted = {
        name: {one.step for one in references if one.step in edges}
        for name, references in taken.items()
    }
    if not any(taken.values()):
        return []
    wrong = set(graph.not_before(edges, wanted))
    return [
        FieldError(pointer("steps", name, "payload") + one.pointer, _ASTRAY.format(one.step))
        for name, references in taken.items()
        for one in references
        if one.step not in edges or (name, one.step) in wrong
    ]


def joined(edges: Edges, taken: Taken) -> dict[str, list[After]]:
    """The edges, with those for results. They never end a step: the named ones decide that."""
    return {
        name: _joined(waits_for, dict.fromkeys(one.step for one in taken[name]))
        for name, waits_for in edges.items()
    }


def _joined(waits_for: Sequence[After], others: Iterable[str]) -> list[After]:
    direct = {edge.step for edge in waits_for}
    more = [After(step=one, on_failure=OnFailure.RUN) for one in others if one not in direct]
    return [*waits_for, *more]


def rows(jobs: Mapping[str, Job], steps: Steps, edges: graph.Edges) -> list[Dependency]:
    inside = [
        Dependency(job=jobs[name], depends_on=jobs[edge.step], on_failure=edge.on_failure)
        for name, waits_for in edges.items()
        for edge in waits_for
    ]
    outside = [
        Dependency(job=jobs[name], depends_on_id=edge.job_id, on_failure=edge.on_failure)
        for name, step in steps.items()
        for edge in {edge.job_id: edge for edge in step.options.depends_on}.values()
    ]
    return inside + outside

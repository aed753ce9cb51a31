"""Whether steps make a graph that can be worked through. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from jobs.exceptions import FieldError, pointer
from jobs.step_results import STEP_NAME_RULE, is_step_name
from jobs.workflows.steps import After, Steps

MOST_STEPS = 10_000
MOST_EDGES = 100_000

Edges = Mapping[str, Sequence[After]]


def mistakes_in(steps: Steps, edges: Edges) -> list[FieldError]:
    """Every broken rule; of rules about the whole the first."""
    if not 1 <= len(steps) <= MOST_STEPS:
        return [FieldError("/steps", f"must be 1 to {MOST_STEPS:,}")]
    if sum(map(len, edges.values())) > MOST_EDGES:
        return [FieldError("/steps", f"at most {MOST_EDGES:,} times `after` in all")]
    errors = [
        FieldError(pointer("steps", name), STEP_NAME_RULE)
        for name in steps
        if not is_step_name(name)
    ]
    for name, waits_for in edges.items():
        errors += _mistakes_at(name, waits_for, steps)
    return errors or _cycle(edges)


def _mistakes_at(name: str, waits_for: Sequence[After], steps: Steps) -> list[FieldError]:
    errors: list[FieldError] = []
    seen: set[str] = set()
    for index, edge in enumerate(waits_for):
        at = pointer("steps", name, "after", index)
        if edge.step == name:
            errors.append(FieldError(at, "a step cannot wait for itself"))
        elif edge.step not in steps:
            errors.append(FieldError(at, "no such step"))
        elif edge.step in seen:
            errors.append(FieldError(at, "stands there twice"))
        seen.add(edge.step)
    return errors


def _cycle(edges: Edges) -> list[FieldError]:
    try:
        _sorter(edges).prepare()
    except CycleError as error:
        circle = error.args[1]
        told = " → ".join([*circle[:_TOLD], "…"] if len(circle) > _TOLD else circle)
        return [FieldError(pointer("steps", circle[0], "after"), f"waits in a circle: {told}")]
    return []


_TOLD = 10  # steps of a circle


def _sorter(edges: Edges) -> TopologicalSorter[str]:
    return TopologicalSorter({name: [one.step for one in after] for name, after in edges.items()})


def not_before(edges: Edges, wanted: Mapping[str, Iterable[str]]) -> list[tuple[str, str]]:
    """Of the pairs (step, other) that `wanted` names those where the other is not, directly or by
    way of others, before the step.

    Each step's predecessors are a set of bits, for those steps alone that are asked about: ten
    thousand steps cost a moment and a few megabytes.
    """
    asked = {other for others in wanted.values() for other in others}
    bit = {name: 1 << place for place, name in enumerate(sorted(asked))}
    before: dict[str, int] = {}
    for name in _sorter(edges).static_order():
        bits = 0
        for edge in edges[name]:
            bits |= before[edge.step] | bit.get(edge.step, 0)
        before[name] = bits
    return [
        (name, other)
        for name, others in wanted.items()
        for other in others
        if not before[name] & bit[other]
    ]

"""Hand in a workflow: all of its jobs and edges, or nothing, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from django.db import IntegrityError, transaction

from accounts.models import Tenant
from jobs import lifecycle, payload, registry, step_results, unique
from jobs.batches.refusals import broken_rules
from jobs.enqueue import JobRequest, prepared, tenant_of
from jobs.exceptions import (
    FieldError,
    FieldErrors,
    InvalidWorkflow,
    JobsError,
    PayloadTooLarge,
    UniqueKeyTaken,
    UnknownJobType,
    UnknownQueue,
    pointer,
)
from jobs.files import references
from jobs.models import Dependency, Job, Workflow
from jobs.models.job import UNIQUE_KEY_INDEX
from jobs.options import MAX_KEY_LENGTH
from jobs.quotas import Allowance, allowance
from jobs.states import FINAL, Status
from jobs.step_results import Reference
from jobs.webhook_url import judged
from jobs.workflows import edging, graph
from jobs.workflows.steps import Step, Steps

MOST_TOLD = 100  # mistakes of one workflow
_EDGES_A_STATEMENT = 10_000


@dataclass(frozen=True, kw_only=True)
class HandedIn:
    workflow: Workflow
    jobs: Mapping[str, Job]  # by step


def hand_in(
    tenant: Tenant | str, name: str, steps: Steps, *, owner: str = "", created_by: str = ""
) -> HandedIn:
    """Hand in a workflow.

    Raises InvalidWorkflow with what is wrong with its steps, UniqueKeyTaken and QuotaExceeded; then
    nothing was written. Its steps are its owner's: a step that names another is refused.
    """
    tenant = tenant_of(tenant)
    edges = {step_name: step.edges for step_name, step in steps.items()}
    refuse(graph.mistakes_in(steps, edges))
    outside = sum(len(step.options.depends_on) for step in steps.values())
    _refuse_edges(sum(map(len, edges.values())) + outside)
    if len(name) > MAX_KEY_LENGTH:
        refuse([FieldError("/name", f"at most {MAX_KEY_LENGTH} characters")])
    steps = dict(zip(steps, judged(steps.values()), strict=True))
    workflow = Workflow(tenant=tenant, name=name, owner=owner, created_by=created_by)
    with transaction.atomic(), allowance(tenant) as allowed:
        jobs, taken = _prepared(workflow, steps, allowed)
        refuse(edging.astray(edges, taken))
        rows = edging.rows(jobs, steps, edging.joined(edges, taken))
        _refuse_edges(len(rows))  # now with those for results
        _insert(workflow, jobs, rows)
    return HandedIn(workflow=workflow, jobs=jobs)


def refuse(errors: Sequence[FieldError]) -> None:
    if errors:
        raise InvalidWorkflow(list(errors[:MOST_TOLD]))


def _refuse_edges(number: int) -> None:
    if number > graph.MOST_EDGES:
        text = f"at most {graph.MOST_EDGES:,} times `after`, `depends_on` and results in all"
        refuse([FieldError("/steps", text)])


# --- the jobs ------------------------------------------------------------------------------


def _prepared(
    workflow: Workflow, steps: Steps, allowed: Allowance
) -> tuple[dict[str, Job], dict[str, list[Reference]]]:
    """The rows to insert, and what each step takes from others."""
    jobs: dict[str, Job] = {}
    taken: dict[str, list[Reference]] = {}
    errors = list(_unknown_jobs(workflow.tenant, steps))
    for name, step in steps.items():
        try:
            jobs[name], taken[name] = _job(workflow, name, step)
        except JobsError as error:
            errors += _told(error, name)
            if len(errors) > MOST_TOLD:
                break
            continue
        allowed.require_room()
        allowed.use()
    refuse(errors)
    _refuse_taken_keys(jobs)
    return jobs, taken


def _job(workflow: Workflow, name: str, step: Step) -> tuple[Job, list[Reference]]:
    if step.options.owner not in ("", workflow.owner):
        raise FieldErrors([FieldError("/owner", "is not the workflow's")])
    options = replace(
        step.options, depends_on=(), owner=workflow.owner, created_by=workflow.created_by
    )
    asked = registry.get_public(step.type_name)
    job_type, known, found = step_results.known_part(asked, step.payload)
    request = JobRequest(type_name=step.type_name, payload=known, options=options)
    job = prepared(workflow.tenant, request, job_type)
    if found:
        job.payload |= step_results.as_stored({name: step.payload[name] for name in found})
        payload.refuse_unstorable(job.payload)
    job.workflow, job.step = workflow, name
    if step.after or step.options.depends_on:
        job.status, job.visible_at = Status.BLOCKED, None
    return job, [one for ones in found.values() for one in ones]


def _told(error: JobsError, step: str) -> list[FieldError]:
    """The mistake of one step, where it stands in the whole. Raises what is none of a step's."""
    if isinstance(error, FieldErrors | UnknownJobType | UnknownQueue | PayloadTooLarge):
        return broken_rules(error, pointer("steps", step))
    raise error


def _unknown_jobs(tenant: Tenant, steps: Steps) -> Iterable[FieldError]:
    """Jobs outside that steps wait for and that are not the tenant's: one query for all steps."""
    wanted = {edge.job_id for step in steps.values() for edge in step.options.depends_on}
    if not wanted:
        return
    known = set(Job.objects.filter(tenant=tenant, pk__in=wanted).values_list("pk", flat=True))
    for name, step in steps.items():
        missing = [str(edge.job_id) for edge in step.options.depends_on if edge.job_id not in known]
        if missing:
            at = pointer("steps", name, "depends_on")
            yield FieldError(at, f"not found: {', '.join(missing)}")


def _refuse_taken_keys(jobs: Mapping[str, Job]) -> None:
    """A step's job is its own: one that another job stands for already is refused."""
    seen: dict[tuple[str, str], str] = {}
    keyed = [(name, job) for name, job in jobs.items() if job.unique_key]
    for name, job in keyed:
        other = seen.setdefault((job.type, job.unique_key), name)
        if other != name:
            at = pointer("steps", name, "unique_key")
            raise InvalidWorkflow([FieldError(at, f"step {other} has the same")])
    unique.lock([job for _, job in keyed])
    holders = unique.holders_of([job for _, job in keyed])
    for name, job in keyed:
        if (job.type, job.unique_key) in holders:
            raise UniqueKeyTaken(f"Another job holds the unique key of step {name}.")


# --- the whole ----------------------------------------------------------------------------


def _insert(workflow: Workflow, jobs: Mapping[str, Job], rows: list[Dependency]) -> None:
    """Raises UniqueKeyTaken where a key was taken since the look."""
    workflow.save(force_insert=True)
    try:
        with transaction.atomic():
            lifecycle.create(list(jobs.values()))
    except IntegrityError as error:
        if UNIQUE_KEY_INDEX not in str(error):
            raise
        raise UniqueKeyTaken() from error
    references.note_uses(list(jobs.values()))
    Dependency.objects.bulk_create(rows, batch_size=_EDGES_A_STATEMENT)
    own = {job.pk for job in jobs.values()}
    outside = {row.depends_on_id for row in rows} - own
    if outside:  # one that ends meanwhile is found by the dispatcher's sweep
        ended = Job.objects.filter(pk__in=outside, status__in=FINAL)
        lifecycle.settle_ended(list(ended.values_list("pk", flat=True)))

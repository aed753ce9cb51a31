"""Handing in a batch: up to ten thousand jobs, each with its own outcome, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from accounts.models import Tenant
from jobs.batches import wishes
from jobs.enqueue import Enqueued, JobRequest, enqueue_many, tenant_of
from jobs.exceptions import BatchRefused, FieldError, InvalidOptions, JobsError
from jobs.lifecycle.following import close_intake
from jobs.models import Batch
from jobs.options import check_short_text
from jobs.webhook_url import Judge, judged

MOST_JOBS = 10_000

Outcome = Enqueued | JobsError


@dataclass(frozen=True, kw_only=True)
class HandedIn:
    """`outcomes` has one entry an item, in its order: the job, or why it was refused."""

    batch: Batch
    outcomes: Sequence[Outcome]


def hand_in(
    tenant: Tenant | str,
    items: Sequence[JobRequest | JobsError],
    *,
    name: str = "",
    owner: str = "",
    created_by: str = "",
    on_complete: JobRequest | None = None,
    on_failure: JobRequest | None = None,
    atomic: bool = False,
) -> HandedIn:
    """Hand in these jobs as one batch, in the caller's transaction.

    An item that is refused, here or by the caller already (then it is the error), stops no other;
    with `atomic` it stops all: BatchRefused. `on_complete` is handed in once, when all have
    ended, `on_failure` once, at the first that failed. Raises InvalidOptions for a callback that
    breaks a rule, as for such an owner, and for no items or too many.
    """
    _require_some(items)
    _check_owner(owner)
    judge = Judge()
    requests = judged([item for item in items if isinstance(item, JobRequest)], judge)
    on_complete, on_failure = (
        wish and judged([wish], judge)[0] for wish in (on_complete, on_failure)
    )
    with transaction.atomic():
        tenant = tenant_of(tenant)
        batch = Batch.objects.create(
            tenant=tenant,
            name=name,
            owner=owner,
            created_by=created_by,
            total=len(requests),  # at the most; until all are in, it cannot end
            on_complete=wishes.decided(tenant, "/on_complete", on_complete),
            on_failure=wishes.decided(tenant, "/on_failure", on_failure),
        )
        outcomes = _merged(items, enqueue_many(tenant, requests, batch_id=batch.pk))
        if atomic:
            _refuse_if_any_was(outcomes)
        close_intake(batch.pk, sum(_is_new(outcome) for outcome in outcomes))
    batch.refresh_from_db()
    return HandedIn(batch=batch, outcomes=outcomes)


def _require_some(items: Sequence[object]) -> None:
    if not 1 <= len(items) <= MOST_JOBS:
        raise InvalidOptions([FieldError("/jobs", f"must be 1 to {MOST_JOBS:,}")])


def _check_owner(owner: str) -> None:
    errors: list[FieldError] = []
    check_short_text("owner", owner, errors)
    if errors:
        raise InvalidOptions(errors)


def _merged(
    items: Sequence[JobRequest | JobsError], outcomes: Sequence[Outcome]
) -> Sequence[Outcome]:
    left = iter(outcomes)
    return [next(left) if isinstance(item, JobRequest) else item for item in items]


def _refuse_if_any_was(outcomes: Sequence[Outcome]) -> None:
    errors = {
        index: outcome for index, outcome in enumerate(outcomes) if isinstance(outcome, JobsError)
    }
    if errors:
        raise BatchRefused(errors)


def _is_new(outcome: Outcome) -> bool:
    return isinstance(outcome, Enqueued) and outcome.created

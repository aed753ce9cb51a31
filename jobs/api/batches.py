"""GET and POST /batches, GET /batches/{id}, POST /batches/{id}/cancel and /retry."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from uuid import UUID

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Access
from accounts.api import moment
from accounts.api.idempotency import Answer, once
from accounts.api.paging import PARAMETERS, page_of
from accounts.api.refusals import FieldRefusal, Unprocessable
from accounts.api.view import ApiView, address_of
from accounts.rate_limits.rates import CallKind
from accounts.scopes import Scope
from jobs import batches
from jobs.api import batches_describing
from jobs.api.batches_bodies import Item, NewBatch
from jobs.api.batches_documents import (
    BatchDocument,
    BatchPage,
    ChangedBatchDocument,
    NewBatchDocument,
    batch_document,
    new_batch_document,
)
from jobs.api.bodies import Body, NewJob, body_of, optional_body_of
from jobs.api.filters import Filters, condition
from jobs.api.jobs import request_of, visible_among
from jobs.api.many import TakesMany
from jobs.api.reach import as_id
from jobs.batches import BatchStatus
from jobs.batches.figures import CONDITIONS
from jobs.batches.refusals import broken_rules
from jobs.enqueue import JobRequest
from jobs.exceptions import BatchRefused, FieldError, InvalidOptions, JobsError
from jobs.models import Batch
from jobs.operations import Actor


def _status(values: list[str]) -> Q:
    if not set(values) <= set(BatchStatus.values):
        raise ValueError(f"one of {', '.join(BatchStatus.values)}")
    return Q(*(CONDITIONS[BatchStatus(value)] for value in values), _connector=Q.OR)


FILTERS: Filters = {
    "status": _status,
    "owner": lambda values: Q(owner=values[0]),
    "created_after": lambda values: Q(created_at__gt=moment.parsed(values[0])),
    "created_before": lambda values: Q(created_at__lt=moment.parsed(values[0])),
}


class BatchesView(TakesMany):
    scopes = {"GET": Scope.JOBS_READ, "POST": Scope.JOBS_WRITE}
    kinds = {"POST": CallKind.BATCH}
    keyed = True
    parameters = {"GET": PARAMETERS | FILTERS.keys()}

    @extend_schema(
        operation_id="list_batches", tags=["batches"], summary="List batches, newest first",
        parameters=batches_describing.FILTERS, responses=BatchPage,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        page = page_of(request, self.access)
        rows = _batches_of(self.access).filter(condition(request.query_params, FILTERS))
        if page.after is not None:
            rows = rows.filter(pk__lt=page.after)
        return Response(
            page.answer(
                rows.order_by("-pk")[: page.limit + 1],  # ids sort by time
                key=lambda batch: str(batch.pk),
                present=lambda batch: batch_document(batch, self.access),
            )
        )

    @extend_schema(
        operation_id="create_batch", tags=["batches"], summary="Hand in many jobs at once",
        parameters=batches_describing.CREATION, request=NewBatch,
        examples=batches_describing.NEW_BATCHES, responses={201: NewBatchDocument},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        body, access = body_of(NewBatch, request).judged(), self.access
        answer = once(request, access, lambda: _create(body, access))
        headers = {**answer.headers, "Location": f"{request.path}/{answer.body['batch_id']}"}
        return Response(answer.body, status=answer.status, headers=headers)


class BatchView(ApiView):
    scopes = {"GET": Scope.JOBS_READ}

    @extend_schema(
        operation_id="get_batch", tags=["batches"], summary="One batch", responses=BatchDocument
    )
    def get(self, request: Request, batch_id: str) -> Response:
        return Response(batch_document(_batch_of(self.access, batch_id), self.access))


class _Nothing(Body):
    """No fields."""


class _BatchAction(ApiView):
    """One verb on every job of a batch that can be, in transactions of its own."""

    scopes = {"POST": Scope.JOBS_WRITE}
    kinds = {"POST": CallKind.BATCH}

    def perform(
        self, request: Request, batch_id: str, verb: Callable[[Batch, Actor], int]
    ) -> Response:
        optional_body_of(_Nothing, request)
        by = Actor(name=self.access.principal.actor, address=address_of(request))
        changed = verb(_batch_of(self.access, batch_id), by)
        after = batch_document(_batch_of(self.access, batch_id), self.access)
        return Response({**after, "changed": changed})


class CancelBatchView(_BatchAction):
    @extend_schema(
        operation_id="cancel_batch", tags=["batches"],
        summary="Cancel every job of a batch that waits or runs",
        request=None, responses=ChangedBatchDocument,
    )  # fmt: skip
    def post(self, request: Request, batch_id: str) -> Response:
        return self.perform(request, batch_id, batches.cancel)


class RetryBatchView(_BatchAction):
    @extend_schema(
        operation_id="retry_batch", tags=["batches"],
        summary="Run every failed or cancelled job of a batch again",
        request=None, responses=ChangedBatchDocument,
    )  # fmt: skip
    def post(self, request: Request, batch_id: str) -> Response:
        return self.perform(request, batch_id, batches.retry)


def _batches_of(access: Access) -> QuerySet[Batch]:
    rows: QuerySet[Batch] = access.narrow(batches.with_counts(Batch.objects.all()))
    return rows if access.tenant else rows.select_related("tenant")


def _batch_of(access: Access, batch_id: str) -> Batch:
    """Raises NotFound, the same for a malformed, a missing and a foreign id."""
    batch = _batches_of(access).filter(pk=as_id(batch_id)).first()
    if batch is None:
        raise NotFound
    return batch


def _create(body: NewBatch, access: Access) -> Answer:
    bound = access.principal.owner
    if bound and body.owner not in (None, bound):
        raise PermissionDenied("This token makes jobs of its own owner only.")
    items = body.each()
    # Items share the list of those that all wait for.
    named = [body] if body.jobs is None else [one for one in items if isinstance(one, NewJob)]
    visible = visible_among(named, access)
    try:
        made = batches.hand_in(
            access.one_tenant,
            [_item(one, access, visible) for one in items],
            name=body.name,
            owner=bound or body.owner or "",
            created_by=access.principal.actor,
            on_complete=_wish("/on_complete", body.on_complete, access),
            on_failure=_wish("/on_failure", body.on_failure, access),
            atomic=body.atomic,
        )
    except BatchRefused as refused:
        raise Unprocessable(_refusals(refused.errors, body.place)) from None
    return Answer(status=status.HTTP_201_CREATED, body=new_batch_document(made, access))


def _item(
    one: Item, access: Access, visible: Collection[UUID] | None = None
) -> JobRequest | JobsError:
    if isinstance(one, InvalidOptions):
        return one
    try:
        return request_of(one, access, visible)
    except JobsError as error:
        return error
    except PermissionDenied as error:
        return InvalidOptions([FieldError("/owner", str(error.detail))])


def _wish(place: str, body: NewJob | None, access: Access) -> JobRequest | None:
    if body is None:
        return None
    one = _item(body, access)
    if isinstance(one, JobsError):
        raise InvalidOptions(broken_rules(one, place))
    return one


def _refusals(errors: Mapping[int, JobsError], place: str) -> Sequence[FieldRefusal]:
    return [
        FieldRefusal(rule.pointer, rule.detail)
        for index, error in errors.items()
        for rule in broken_rules(error, f"{place}/{index}")
    ]

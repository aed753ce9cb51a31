"""The platform's own jobs: how they are handed in, and that nobody else can hand one in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts import tenants
from accounts.models import Tenant
from accounts.tenants import platform_of
from jobs import batches, internal, registry
from jobs.apps import make_queues
from jobs.enqueue import DependsOn, JobOptions, JobRequest, enqueue, enqueue_many
from jobs.exceptions import FieldErrors, InvalidOptions, UnknownJobType, UnknownQueue
from jobs.models import Job, OnFailure, Queue
from jobs.priorities import HIGHEST
from jobs.states import Status
from jobs.workflows import Step
from jobs.workflows import hand_in as hand_in_workflow
from tests.jobs import making, ours
from tests.jobs.kinds import ECHO
from tests.jobs.racing import together
from tests.testapp.ours import OURS, QUEUE
from tests.testapp.ours import ours as declared

pytestmark = pytest.mark.django_db
EVE = "user:eve"


@pytest.fixture(autouse=True)
def _queue(queues: None) -> None:
    make_queues()


# --- the tenant beside the tenant --------------------------------------------------------------


def test_a_tenant_has_one_of_the_platforms_beside_it_which_nobody_sees(tenant: Tenant) -> None:
    beside = platform_of(tenant)

    assert (beside.slug, beside.plan_name) == ("acme~platform", "enterprise")
    assert (beside.works_for, beside.pk) == (tenant, platform_of(tenant.pk).pk)
    assert beside not in Tenant.objects.all()
    assert beside in Tenant.everyone.all()
    assert list(tenants.platform_ids()) == [{"pk": beside.pk}]


def test_the_one_beside_keeps_the_plan_and_the_weight(tenant: Tenant, other: Tenant) -> None:
    tenants.change(tenant, by=EVE, limits={"weight": 7})
    beside, others = platform_of(tenant), platform_of(other)
    tenants.change(tenant, by=EVE, plan_name="basic", limits={"weight": 9, "max_queued": 0})

    for one in (beside, others):
        one.refresh_from_db()
    assert (beside.plan_name, beside.weight, beside.max_queued) == ("basic", 9, None)
    assert (others.plan_name, others.weight) == ("free", None)


def test_long_slugs_that_begin_alike_have_one_each(db: None) -> None:
    long = [Tenant.objects.create(slug="a" * 62 + end) for end in "bc"]

    slugs = {platform_of(one).slug for one in long}

    assert len(slugs) == 2
    assert all(len(slug) <= 63 and slug.endswith("~platform") for slug in slugs)


@pytest.mark.django_db(transaction=True)
def test_a_process_believes_the_database_and_not_what_it_saw_before(tenant: Tenant) -> None:
    """A database is brought back from a backup, or a test's is emptied, and keys come again."""
    before = ours.one(tenant)
    before.delete()
    Tenant.everyone.filter(works_for=tenant).delete()
    after = ours.one(tenant)
    assert after.tenant_id == platform_of(tenant).pk != before.tenant_id


def test_the_platforms_own_tenant_has_none_beside_it(tenant: Tenant) -> None:
    with pytest.raises(Tenant.DoesNotExist):
        platform_of(platform_of(tenant))


@pytest.mark.django_db(transaction=True)
def test_of_those_who_need_it_at_once_one_makes_it(tenant: Tenant) -> None:
    found = together(*[lambda: platform_of(tenant).pk] * 6)

    assert len(set(found)) == 1
    assert Tenant.everyone.filter(works_for=tenant).count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_that_was_undone_is_made_anew(tenant: Tenant) -> None:
    with transaction.atomic():
        ours.one(tenant)
        transaction.set_rollback(True)

    job = ours.one(tenant)

    assert job.tenant_id == Tenant.everyone.get(works_for=tenant).pk


# --- handing in --------------------------------------------------------------------------------


def test_it_is_handed_in_for_a_tenant_and_is_not_the_tenants(tenant: Tenant) -> None:
    made = internal.hand_in(tenant, [ours.request(1), ours.request(2)])

    rows = list(Job.objects.filter(type=OURS).order_by("seq"))
    assert rows == made
    assert [job.payload["number"] for job in rows] == [1, 2]
    assert {job.tenant_id for job in rows} == {platform_of(tenant).pk}
    assert {(job.queue_id, job.status) for job in rows} == {(QUEUE, Status.QUEUED)}


def test_nothing_to_hand_in_costs_nothing(tenant: Tenant) -> None:
    with CaptureQueriesContext(connection) as asked:
        assert internal.hand_in(tenant, []) == []
    assert not asked.captured_queries


@pytest.mark.django_db(transaction=True)
def test_few_or_many_are_a_look_for_the_tenant_and_one_insert(tenant: Tenant) -> None:
    ours.one(tenant)

    for requests in ([ours.request()], [ours.request(number) for number in range(50)]):
        with CaptureQueriesContext(connection) as asked:
            internal.hand_in(tenant, requests)
        assert [query["sql"].split()[0] for query in asked.captured_queries] == ["SELECT", "INSERT"]


@pytest.mark.django_db(transaction=True)
def test_it_goes_with_the_transaction_in_which_it_was_handed_in(tenant: Tenant) -> None:
    with transaction.atomic():
        ours.one(tenant)
        transaction.set_rollback(True)
    assert not Job.objects.exists()


def test_no_quota_of_the_tenant_counts_it_or_stops_it(tenant: Tenant) -> None:
    tenants.change(tenant, by=EVE, limits={"max_queued": 1, "max_per_day": 1})

    made = [ours.one(tenant) for _ in range(3)]
    enqueue(Tenant.objects.get(pk=tenant.pk), ECHO, {})

    assert Job.objects.filter(type=OURS).count() == len(made)


def test_any_priority_is_allowed_whatever_the_plan_says(other: Tenant) -> None:
    assert ours.one(other, priority=HIGHEST).priority == HIGHEST
    assert ours.one(other).priority == other.plan.default_priority
    with pytest.raises(InvalidOptions):
        ours.one(other, priority=HIGHEST + 1)


def test_it_may_wait_for_others_of_the_platforms_for_that_tenant(tenant: Tenant) -> None:
    first = ours.one(tenant)
    edge = DependsOn(job_id=first.pk, on_failure=OnFailure.RUN)
    second = ours.one(tenant, depends_on=[edge])
    assert second.status == Status.BLOCKED

    making.complete(first)

    assert making.fresh(second).status == Status.QUEUED
    assert ours.one(tenant, depends_on=[edge]).status == Status.QUEUED


@pytest.mark.parametrize("whose", ["the tenant's", "of the platform's for another"])
def test_it_waits_for_nobody_elses_job(tenant: Tenant, other: Tenant, whose: str) -> None:
    job = making.queued(tenant) if whose == "the tenant's" else ours.one(other)

    with pytest.raises(InvalidOptions):
        ours.one(tenant, depends_on=[DependsOn(job_id=job.pk)])
    with pytest.raises(InvalidOptions):
        making.queued(tenant, depends_on=[DependsOn(job_id=ours.one(tenant).pk)])


def test_only_internal_types_are_handed_in_so_and_none_with_a_unique_key(tenant: Tenant) -> None:
    ordinary = JobRequest(type_name=ECHO, payload={})
    for wrong in (ordinary, ours.request(unique_key="k")):
        with pytest.raises(ValueError, match=r"anybody|unique"):
            internal.hand_in(tenant, [ours.request(), wrong])
    assert not Job.objects.exists()


# --- nobody else's way -------------------------------------------------------------------------

Ask = Callable[[Tenant], object]
WISH = JobRequest(type_name=OURS, payload={})
ECHOES = JobRequest(type_name=ECHO, payload={})
WAYS: dict[str, tuple[type[Exception], Ask]] = {
    "enqueue": (UnknownJobType, lambda tenant: enqueue(tenant, OURS, {})),
    "its own enqueue": (UnknownJobType, lambda tenant: declared.enqueue(tenant=tenant)),
    "a callback": (
        FieldErrors, lambda tenant: batches.hand_in(tenant, [ECHOES], on_complete=WISH),
    ),
    "a step": (
        FieldErrors,
        lambda tenant: hand_in_workflow(tenant, "w", {"s": Step(type_name=OURS, payload={})}),
    ),
    "its queue": (
        UnknownQueue, lambda tenant: enqueue(tenant, ECHO, {}, JobOptions(queue=QUEUE)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_no_way_in_knows_the_type_or_its_queue(tenant: Tenant, way: str) -> None:
    refused, ask = WAYS[way]
    with pytest.raises(refused) as told:
        ask(tenant)
    words = str(told.value) + str(getattr(told.value, "errors", ""))
    assert "There is no" in words
    assert not Job.objects.exists()


def test_among_many_it_is_refused_alone(tenant: Tenant) -> None:
    refused, made = enqueue_many(tenant, [WISH, ECHOES])

    assert isinstance(refused, UnknownJobType)
    assert Job.objects.get().type == ECHO
    assert str(refused) == f"There is no job type {OURS!r}."
    assert made


def test_the_platforms_own_tenant_takes_no_ordinary_type(tenant: Tenant) -> None:
    with pytest.raises(UnknownJobType):
        enqueue(platform_of(tenant), ECHO, {})


# --- types and queues --------------------------------------------------------------------------


def test_a_public_type_is_found_and_an_internal_one_is_as_missing() -> None:
    assert registry.get_public(ECHO) is registry.get(ECHO)
    assert OURS not in {kind.name for kind in registry.public()}
    with pytest.raises(UnknownJobType) as internal_one:
        registry.get_public(OURS)
    with pytest.raises(UnknownJobType) as missing_one:
        registry.get_public("testing.none")
    assert str(internal_one.value).replace(OURS, "testing.none") == str(missing_one.value)


@pytest.mark.usefixtures("declaring")
def test_a_queue_is_internal_while_only_internal_types_name_it() -> None:
    def marked() -> list[Any]:
        make_queues()
        return [*Queue.objects.filter(pk=QUEUE).values_list("internal", flat=True)]

    assert marked() == [True]
    registry.register(_ordinary_in(QUEUE))
    assert marked() == [False]
    registry.forget("testing.beside")
    assert marked() == [True]
    assert not Queue.objects.get(pk="default").internal


def _ordinary_in(queue: str) -> registry.AnyJobType:
    return replace(declared, name="testing.beside", queue=queue, internal=False)

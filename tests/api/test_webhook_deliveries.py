"""GET /webhook-deliveries, GET /webhook-deliveries/{id}, POST …/{id}/redeliver."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.api.moment import shown
from accounts.models import Tenant
from accounts.scopes import Scope
from tests.api.calling import Caller
from tests.api.conftest import MakeCaller
from tests.api.hooked import READ, URL, WRITE, delivery, made
from tests.api.test_schema import check, schema
from tests.support import answers
from tests.support.receiver import Receiver
from tests.webhooks.making import echoed, failed, send
from webhooks.api import searching
from webhooks.models import Delivery, DeliveryAttempt, Endpoint


@pytest.fixture
def caller(acme: Tenant, caller_of: MakeCaller) -> Caller:
    return caller_of(acme, [READ, WRITE, Scope.JOBS_READ])


@pytest.fixture
def receiver(settings: Settings) -> Any:
    with Receiver() as receiver:
        settings.EGRESS_ALLOW = [receiver.address]
        yield receiver


def found(caller: Caller, **filters: Any) -> list[str]:
    """The ids, over all pages."""
    ids: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = caller.get("/webhook-deliveries", **filters, **cursor).body
        ids += [one["id"] for one in page["items"]]
        if page["next_cursor"] is None:
            return ids
        cursor = {"cursor": page["next_cursor"]}


def test_the_document_is_as_described_and_nothing_is_left_out(caller: Caller, acme: Tenant) -> None:
    one = delivery(acme, job_id=uuid4())
    body = caller.get(f"/webhook-deliveries/{one.pk}").body
    described = schema()["components"]["schemas"]["WholeDeliveryDocument"]
    check(body, described)
    assert set(described["properties"]) - set(body) == {"tenant"}
    (item,) = caller.get("/webhook-deliveries").body["items"]
    assert {**item, "log": [], "body": '{"event":"job.completed"}'} == body
    assert body["event_id"] == str(one.event_id)


@pytest.mark.django_db(transaction=True)
def test_the_log_tells_each_attempt_and_the_very_text_that_was_sent(
    caller: Caller, acme: Tenant, receiver: Receiver
) -> None:
    receiver.answers(answers.status(500, body=b"<b>sorry</b>\x00"))
    endpoint = made(acme, url=receiver.url, events=["job.completed"], retry={"schedule": [0]})
    job = echoed(acme)
    send(skip_waits=True)
    (one,) = found(caller)
    document = caller.get(f"/webhook-deliveries/{one}").body
    assert (document["status"], document["attempts"]) == ("delivered", 2)
    assert (document["job_id"], document["endpoint_id"]) == (str(job.pk), str(endpoint.pk))
    first, second = document["log"]
    assert (first["number"], first["status_code"], first["error"]) == (1, 500, "status")
    assert first["message"] == "The endpoint answered 500."
    assert first["answer_start"].startswith("<b>sorry</b>")
    assert (second["number"], second["status_code"], second["error"]) == (2, 200, None)
    assert {one["url"] for one in document["log"]} == {receiver.url}
    assert {request.body.decode() for request in receiver.received} == {document["body"]}


@pytest.mark.django_db(transaction=True)
def test_of_a_jobs_own_url_there_is_no_endpoint(
    caller: Caller, acme: Tenant, receiver: Receiver
) -> None:
    failed(acme, webhook_url=receiver.url)
    (one,) = caller.get("/webhook-deliveries").body["items"]
    assert (one["endpoint_id"], one["url"], one["event"]) == (None, receiver.url, "job.failed")
    hidden = Endpoint.objects.get()
    assert found(caller, endpoint_id=str(hidden.pk)) == []
    assert found(caller, job_id=one["job_id"]) == [one["id"]]


def test_a_log_without_end_shows_its_latest_attempts(caller: Caller, acme: Tenant) -> None:
    one = delivery(acme)
    DeliveryAttempt.objects.bulk_create(
        DeliveryAttempt(
            delivery=one, number=n, url=URL, started_at=timezone.now(), duration_seconds=0.1
        )
        for n in range(1, 252)
    )
    numbers = [each["number"] for each in caller.get(f"/webhook-deliveries/{one.pk}").body["log"]]
    assert numbers == list(range(52, 252))


def test_the_list_is_newest_first_page_by_page_and_filtered(caller: Caller, acme: Tenant) -> None:
    one, two, job = made(acme), made(acme), uuid4()
    a = delivery(acme, one, status="failed")
    b = delivery(acme, one, status="delivered", job_id=job)
    c = delivery(acme, two, status="failed", event="schedule.missed")
    d = delivery(acme, two, status="pending", job_id=job, event="job.failed")
    ids = {name: str(each.pk) for name, each in zip("abcd", (a, b, c, d), strict=True)}

    def letters(**filters: Any) -> str:
        names = {value: name for name, value in ids.items()}
        return "".join(names[each] for each in found(caller, **filters))

    assert letters() == "dcba"
    assert letters(limit=1) == "dcba"
    assert letters(endpoint_id=str(one.pk)) == "ba"
    assert letters(endpoint_id=str(two.pk), limit=1) == "dc"
    assert letters(endpoint_id=str(uuid4())) == ""
    assert letters(job_id=str(job)) == "db"
    assert letters(job_id=str(job), endpoint_id=str(one.pk)) == "b"
    assert letters(status="failed") == "ca"
    assert letters(status="failed", endpoint_id=str(two.pk)) == "c"
    assert letters(event="schedule.missed") == "c"
    assert letters(event="job.completed", status="failed") == "a"
    assert letters(event="endpoint.test") == ""


def test_a_span_of_time_takes_its_beginning_and_leaves_its_end(
    caller: Caller, acme: Tenant
) -> None:
    one = delivery(acme)
    at, second = one.__class__.objects.get().created_at, timedelta(microseconds=1)
    assert found(caller, since=shown(at)) == [str(one.pk)]
    assert found(caller, since=shown(at + second)) == []
    assert found(caller, until=shown(at)) == []
    assert found(caller, until=shown(at + second)) == [str(one.pk)]
    assert found(caller, since=shown(at - second), until=shown(at + second)) == [str(one.pk)]


def test_what_no_index_leads_to_is_found_window_by_window(
    caller: Caller, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "WINDOW", 3)
    endpoint = made(acme)
    rare = delivery(acme, endpoint, event="schedule.missed")
    for _ in range(7):
        delivery(acme, endpoint)
    asked = {"event": "schedule.missed", "status": "failed"}
    page = caller.get("/webhook-deliveries", **asked).body
    assert page["items"] == []
    assert page["next_cursor"] is not None
    assert found(caller, **asked) == [str(rare.pk)]
    assert len(found(caller, event="job.completed", status="failed", limit=2)) == 7


def test_an_event_is_found_at_once_however_far_back_it_lies(
    caller: Caller, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "WINDOW", 3)
    endpoint = made(acme)
    rare = delivery(acme, endpoint, event="schedule.missed")
    for _ in range(7):
        delivery(acme, endpoint)
    for asked in ({}, {"endpoint_id": str(endpoint.pk)}):
        page = caller.get("/webhook-deliveries", event="schedule.missed", **asked).body
        assert [one["id"] for one in page["items"]] == [str(rare.pk)]
        assert page["next_cursor"] is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("endpoint_id", "7"), ("job_id", "x" * 36), ("job_id", "{"), ("event", "job.done"),
        ("event", "a\x00b"), ("status", "lost"), ("since", "yesterday"),
        ("until", "2026-01-01T00:00:00"), ("colour", "red"), ("limit", "201"), ("cursor", "no"),
    ],
)  # fmt: skip
def test_a_filter_that_is_wrong_is_pointed_to(name: str, value: str, caller: Caller) -> None:
    assert caller.get("/webhook-deliveries", **{name: value}).pointers == [f"/{name}"]


def test_a_filter_stands_once(caller: Caller) -> None:
    answer = caller.get("/webhook-deliveries", status=["failed", "delivered"])
    assert answer.pointers == ["/status"]


def test_a_cursor_of_another_list_is_refused(caller: Caller, acme: Tenant) -> None:
    endpoint = made(acme)
    for _ in range(2):
        delivery(acme, endpoint)
    cursor = caller.get("/webhook-deliveries", limit=1).body["next_cursor"]
    answer = caller.get("/webhook-deliveries", limit=1, cursor=cursor, status="failed")
    assert answer.pointers == ["/cursor"]


@pytest.mark.django_db(transaction=True)
def test_one_that_failed_is_sent_again_under_its_own_id(
    caller: Caller, acme: Tenant, receiver: Receiver
) -> None:
    receiver.answers(answers.status(500))
    made(acme, url=receiver.url, events=["job.completed"], retry={"max_attempts": 1})
    echoed(acme)
    send()
    (one,) = found(caller, status="failed")
    answer = caller.post(f"/webhook-deliveries/{one}/redeliver")
    assert (answer.status, answer.body["id"], answer.body["status"]) == (202, one, "pending")
    assert caller.post(f"/webhook-deliveries/{one}/redeliver").body == answer.body
    send()
    document = caller.get(f"/webhook-deliveries/{one}").body
    assert (document["status"], document["attempts"]) == ("delivered", 2)
    ids = [request.headers["webhook-id"] for request in receiver.received]
    assert ids == [document["event_id"]] * 2


def test_sending_again_takes_no_fields(caller: Caller, acme: Tenant) -> None:
    answer = caller.post(f"/webhook-deliveries/{delivery(acme).pk}/redeliver", {"url": URL})
    assert answer.pointers == ["/url"]


def test_what_a_job_came_to_is_for_who_may_read_jobs(
    caller: Caller, acme: Tenant, caller_of: MakeCaller
) -> None:
    path = f"/webhook-deliveries/{delivery(acme, job_id=uuid4()).pk}"
    assert caller.get(path).body["body"] == '{"event":"job.completed"}'
    for scopes in ([READ], [READ, WRITE]):
        assert caller_of(acme, scopes).get(path).body == {**caller.get(path).body, "body": None}


def test_one_key_sends_a_delivery_again_once(caller: Caller, acme: Tenant) -> None:
    path = f"/webhook-deliveries/{delivery(acme).pk}/redeliver"
    first = caller.post(path, idempotency_key="k")
    Delivery.objects.update(status="failed", ended_at=timezone.now())
    again = caller.post(path, idempotency_key="k")
    assert (again.status, again.body) == (202, first.body)
    assert again.headers["Idempotent-Replay"] == "true"
    assert Delivery.objects.get().status == "failed"


@pytest.mark.parametrize(
    "moment", ["1970-01-01T00:00:00Z", "1970-01-01T00:00:00+23:00", "8999-12-31T23:59:59-23:59"]
)
def test_a_span_may_begin_and_end_at_any_time(moment: str, caller: Caller, acme: Tenant) -> None:
    one, early = str(delivery(acme).pk), moment.startswith("1970")
    assert found(caller, since=moment) == ([one] if early else [])
    assert found(caller, until=moment) == ([] if early else [one])

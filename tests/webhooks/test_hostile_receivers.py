"""Receivers, and names, that mean harm: each ends its own delivery, in time, and nobody else's."""

from __future__ import annotations

import gzip
import ssl
import threading
import tracemalloc
from collections.abc import Iterator, Sequence

import pytest
import trustme
from pytest_django import Settings

from accounts.models import Tenant
from jobs.egress import names as naming
from jobs.egress.seats import Seats
from tests.egress.fixtures import Names, authority, names, no_verdicts
from tests.support import answers
from tests.support.receiver import Answer, Exchange, Receiver
from tests.support.waiting import wait_for
from tests.webhooks.making import EVE, deliveries, echoed, endpoint, send
from webhooks import verbs
from webhooks.definition import Definition
from webhooks.models import Delivery, DeliveryAttempt

__all__ = ["authority", "names", "no_verdicts"]

pytestmark = pytest.mark.django_db(transaction=True)

PUBLIC = "93.184.215.14"
ONCE = {"max_attempts": 1}
MUCH_LATER = 30.0  # seconds; whatever has no end would still go on


def at(receiver: Receiver, name: str) -> str:
    return f"http://{name}:{receiver.port}/hook"


def told_once(tenant: Tenant, receiver: Receiver, answer: Answer) -> Delivery:
    """The delivery, after one attempt that was answered so."""
    receiver.answers(answer)
    endpoint(tenant, receiver, events=["job.completed"], retry=ONCE)
    echoed(tenant)
    send(skip_waits=True)
    (delivery,) = deliveries()
    assert delivery.attempts == 1
    return delivery


def reset_in_its_midst(exchange: Exchange) -> None:
    exchange.head(200, {"Content-Length": "100"})
    exchange.send(b"so far")
    answers.reset(exchange)


@pytest.mark.parametrize(
    "answer", [answers.silent, answers.dripping_headers, answers.dripping_body]
)
def test_who_drips_is_left_when_the_time_is_over(
    acme: Tenant, receiver: Receiver, settings: Settings, answer: Answer
) -> None:
    settings.WEBHOOK_TIMEOUT_SECONDS = 1.0
    delivery = told_once(acme, receiver, answer)
    assert (delivery.status, delivery.last_error) == ("failed", "timed_out")
    assert 1.0 <= DeliveryAttempt.objects.get().duration_seconds < MUCH_LATER


def test_of_a_body_without_an_end_only_the_start_is_read(acme: Tenant, receiver: Receiver) -> None:
    delivery = told_once(acme, receiver, answers.endless)
    assert (delivery.status, delivery.last_status_code) == ("delivered", 200)
    assert DeliveryAttempt.objects.get().answer_start == "a" * 1_024


def test_headers_without_an_end_are_no_answer(acme: Tenant, receiver: Receiver) -> None:
    delivery = told_once(acme, receiver, answers.endless_headers)
    assert (delivery.status, delivery.last_error) == ("failed", "protocol")


def test_a_bomb_stays_packed(acme: Tenant, receiver: Receiver) -> None:
    packed = gzip.compress(bytes(64 * 1024 * 1024), compresslevel=9)
    bomb = answers.status(200, packed, {"Content-Encoding": "gzip"})
    tracemalloc.start()
    try:
        delivery = told_once(acme, receiver, bomb)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert delivery.status == "delivered"
    assert most < 32 * 1024 * 1024


@pytest.mark.parametrize("broken", [reset_in_its_midst, answers.raw(b"HTTP/1.1 200 OK\r\nConten")])
def test_a_good_status_whose_answer_breaks_off_is_not_enough(
    acme: Tenant, receiver: Receiver, broken: Answer
) -> None:
    delivery = told_once(acme, receiver, broken)
    assert (delivery.status, delivery.last_error) == ("failed", "connection_lost")


@pytest.mark.parametrize(
    ("rest", "told"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ("delivered", "", 200)),
        (b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", ("failed", "status", 500)),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", ("failed", "protocol", None)),
        (b"HTTP/1.1 2_00 OK\r\n\r\n", ("failed", "protocol", None)),
        (b"", ("failed", "connection_lost", None)),
    ],
)
def test_what_comes_before_an_answer_says_nothing_of_it(
    acme: Tenant, receiver: Receiver, rest: bytes, told: tuple[str, str, int | None]
) -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    delivery = told_once(acme, receiver, answers.raw(hints + rest))
    assert (delivery.status, delivery.last_error, delivery.last_status_code) == told


@pytest.mark.parametrize("bad", ["self-signed", "for another name"])
def test_who_has_a_bad_certificate_gets_nothing(
    acme: Tenant, settings: Settings, authority: trustme.CA, bad: str
) -> None:
    signs = trustme.CA() if bad == "self-signed" else authority
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    name = "127.0.0.1" if bad == "self-signed" else "hooks.example"
    signs.issue_cert(name).configure_cert(context)
    with Receiver(tls=context) as receiver:
        settings.EGRESS_ALLOW = [receiver.address]
        delivery = told_once(acme, receiver, answers.status(200))
        assert (delivery.status, delivery.last_error) == ("failed", "tls")
        assert (receiver.connections, receiver.received) == (1, [])


def test_a_name_that_leads_inside_once_it_is_saved_reaches_nothing(
    acme: Tenant, names: Names
) -> None:
    with Receiver() as inside:
        for then in (["127.0.0.1"], [PUBLIC, "127.0.0.1"]):
            names["hooks.example"] = [PUBLIC]
            made = verbs.create(acme, Definition(url=at(inside, "hooks.example")), EVE)
            names["hooks.example"] = then
            job = echoed(acme)
            send(skip_waits=True)
            row = Delivery.objects.get(job_id=job.pk, event__name="job.completed")
            assert (row.status, row.last_error, row.attempts) == ("failed", "blocked_address", 1)
            verbs.delete(made.endpoint, EVE)
        assert inside.connections == 0


def test_a_name_that_changes_during_an_attempt_is_asked_for_once(
    acme: Tenant, names: Names, settings: Settings
) -> None:
    """The host is the operator's own, so that a connection can be seen: it goes where the one
    answer said, and nowhere else."""
    names["hooks.example"] = ["127.0.0.1"]
    with Receiver() as first:
        settings.EGRESS_ALLOW = [f"hooks.example:{first.port}"]
        verbs.create(acme, Definition(url=at(first, "hooks.example")), EVE)
        echoed(acme)
        before = names.asked
        send(skip_waits=True)
        assert names.asked - before == len(deliveries()) == first.connections


class Hanging:
    """A resolver that hangs, once it is told to, for names below `evil.example`."""

    def __init__(self) -> None:
        self.hangs = False
        self.over = threading.Event()

    def __call__(self, name: str) -> Sequence[str]:
        if name == "good.example":
            return ["127.0.0.1"]
        if self.hangs:
            self.over.wait(60)
        return [PUBLIC]


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hanging]:
    hanging = Hanging()
    monkeypatch.setattr(naming, "resolver", hanging)
    yield hanging
    hanging.over.set()
    wait_for(lambda: not _asking(), seconds=30, what="the threads of names end")


def _asking() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name.startswith("name-")]


def test_a_tenant_whose_names_hang_does_not_stop_those_of_another(
    acme: Tenant,
    receiver: Receiver,
    hanging: Hanging,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(naming, "_room", Seats(2, 1))
    settings.EGRESS_ALLOW = [f"good.example:{receiver.port}"]
    for count in range(3):
        url = f"http://n{count}.evil.example/"
        verbs.create(acme, Definition(url=url, events=["job.completed"], retry=ONCE), EVE)
    hanging.hangs = True
    settings.WEBHOOK_TIMEOUT_SECONDS = 0.5
    echoed(acme)
    send(skip_waits=True)
    assert {row.last_error for row in deliveries()} == {"name_timed_out"}

    settings.WEBHOOK_TIMEOUT_SECONDS = 20.0  # less than a name hangs
    other = Tenant.objects.create(slug="other")
    good = at(receiver, "good.example")
    verbs.create(other, Definition(url=good, events=["job.completed"], retry=ONCE), EVE)
    job = echoed(other)
    send(skip_waits=True)
    assert [row.status for row in deliveries(job.pk)] == ["delivered"]

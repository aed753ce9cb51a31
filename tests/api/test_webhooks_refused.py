"""Endpoints that are refused: each broken rule is pointed to, and nothing is written."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Tenant
from tests.api.calling import Caller
from tests.api.conftest import MakeCaller
from tests.api.hooked import NEW, READ, URL, WRITE, made
from webhooks.definition import Definition, judged, looked_at
from webhooks.models import Endpoint


@pytest.fixture
def caller(acme: Tenant, caller_of: MakeCaller) -> Caller:
    return caller_of(acme, [READ, WRITE])


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"url": ""}, "/url"),
    ({"url": None}, "/url"),
    ({"url": 7}, "/url"),
    ({"url": "hooks.example.invalid"}, "/url"),
    ({"url": "ftp://hooks.example.invalid/"}, "/url"),
    ({"url": "javascript:alert(1)"}, "/url"),
    ({"url": "http://127.0.0.1/"}, "/url"),
    ({"url": "http://[::1]/"}, "/url"),
    ({"url": "http://[::ffff:10.0.0.1]/"}, "/url"),
    ({"url": "http://0x7f000001/"}, "/url"),
    ({"url": "http://2130706433/"}, "/url"),
    ({"url": "http://169.254.169.254/latest/meta-data"}, "/url"),
    ({"url": "http://localhost/"}, "/url"),
    ({"url": "https://eve:secret@hooks.example.invalid/"}, "/url"),
    ({"url": "https://hooks.example.invalid\\@127.0.0.1/"}, "/url"),
    ({"url": "https://hooks.example.invalid/a b"}, "/url"),
    ({"url": "https://hooks.example.invalid/\r\nX: y"}, "/url"),
    ({"url": f"{URL}/{'x' * 2_048}"}, "/url"),
    ({"description": "x" * 2_001}, "/description"),
    ({"description": None}, "/description"),
    ({"events": None}, "/events"),
    ({"events": "job.completed"}, "/events"),
    ({"events": ["job.completed", "job.done"]}, "/events/1"),
    ({"events": ["endpoint.test"]}, "/events/0"),
    ({"events": [7]}, "/events/0"),
    ({"events": ["job.failed"] * 101}, "/events"),
    ({"types": ["no.such"]}, "/types/0"),
    ({"types": ["webhooks.deliver"]}, "/types/0"),
    ({"queues": ["default", "no-such"]}, "/queues/1"),
    ({"queues": ["webhooks"]}, "/queues/0"),
    ({"timeout_seconds": 0}, "/timeout_seconds"),
    ({"timeout_seconds": 31}, "/timeout_seconds"),
    ({"timeout_seconds": 1.5}, "/timeout_seconds"),
    ({"timeout_seconds": True}, "/timeout_seconds"),
    ({"retry": []}, "/retry"),
    ({"retry": {"max_attempts": 0}}, "/retry/max_attempts"),
    ({"retry": {"max_attempts": 51}}, "/retry/max_attempts"),
    ({"retry": {"max_attempts": 1.5}}, "/retry/max_attempts"),
    ({"retry": {"max_attempts": True}}, "/retry/max_attempts"),
    ({"retry": {"backoff_seconds": -1}}, "/retry/backoff_seconds"),
    ({"retry": {"backoff_seconds": None}}, "/retry/backoff_seconds"),
    ({"retry": {"max_seconds": 604_801}}, "/retry/max_seconds"),
    ({"retry": {"colour": 1}}, "/retry/colour"),
    ({"retry": {"x" * 10_000: 1}}, f"/retry/{'x' * 200}"),
    ({"retry": {"schedule": "soon"}}, "/retry/schedule"),
    ({"retry": {"schedule": [1, -1]}}, "/retry/schedule/1"),
    ({"retry": {"schedule": [1] * 50}}, "/retry/schedule"),
    ({"retry": {"schedule": [1], "max_attempts": 3}}, "/retry"),
    ({"enabled": None}, "/enabled"),
    ({"enabled": "true"}, "/enabled"),
    ({"id": "0199a1c0-0000-7000-8000-000000000001"}, "/id"),
    ({"secret": "whsec_mine"}, "/secret"),
    ({"is_of_jobs": True}, "/is_of_jobs"),
    ({"tenant": "other"}, "/tenant"),
]
HEADERS: list[tuple[dict[str, Any], str]] = [
    ({"X-A": "a\r\nHost: b"}, "/headers/X-A"),
    ({"X-A": "a\nb"}, "/headers/X-A"),
    ({"X-A": "é"}, "/headers/X-A"),
    ({"X-A": "\u0391"}, "/headers/X-A"),
    ({"X-A": " a"}, "/headers/X-A"),
    ({"X-A": "a "}, "/headers/X-A"),
    ({"X-A": "\x7f"}, "/headers/X-A"),
    ({"X-A": 7}, "/headers/X-A"),
    ({"X-A": None}, "/headers/X-A"),
    ({"X-A": "***"}, "/headers/X-A"),
    ({"X-A\r\nHost": "b"}, "/headers/X-A\r\nHost"),
    ({"": "a"}, "/headers/"),
    ({"X A": "a"}, "/headers/X A"),
    ({"X:A": "a"}, "/headers/X:A"),
    ({"Ünicode": "a"}, "/headers/Ünicode"),
    ({"x" * 101: "a"}, f"/headers/{'x' * 101}"),
    ({"Host": "b"}, "/headers/Host"),
    ({"hOsT": "b"}, "/headers/hOsT"),
    ({"Content-Length": "0"}, "/headers/Content-Length"),
    ({"Content-Type": "text/plain"}, "/headers/Content-Type"),
    ({"Content-Encoding": "gzip"}, "/headers/Content-Encoding"),
    ({"Transfer-Encoding": "chunked"}, "/headers/Transfer-Encoding"),
    ({"Connection": "close"}, "/headers/Connection"),
    ({"Expect": "100-continue"}, "/headers/Expect"),
    ({"Cookie": "a=b"}, "/headers/Cookie"),
    ({"User-Agent": "me"}, "/headers/User-Agent"),
    ({"webhook-id": "1"}, "/headers/webhook-id"),
    ({"Webhook-Signature": "v1,x"}, "/headers/Webhook-Signature"),
    ({"X-Forwarded-For": "10.0.0.1"}, "/headers/X-Forwarded-For"),
    ({"Proxy-Authorization": "x"}, "/headers/Proxy-Authorization"),
    ({"webhook_signature": "v1,x"}, "/headers/webhook_signature"),
    ({"Webhook_Id": "1"}, "/headers/Webhook_Id"),
    ({"Content_Length": "0"}, "/headers/Content_Length"),
    ({"X_Forwarded_For": "10.0.0.1"}, "/headers/X_Forwarded_For"),
    ({"Forwarded": "for=10.0.0.1"}, "/headers/Forwarded"),
    ({"X-Real-IP": "10.0.0.1"}, "/headers/X-Real-IP"),
    ({"Via": "x"}, "/headers/Via"),
    ({"X-HTTP-Method-Override": "DELETE"}, "/headers/X-HTTP-Method-Override"),
    ({"X-Original-URL": "/admin"}, "/headers/X-Original-URL"),
    ({"Set-Cookie": "a=b"}, "/headers/Set-Cookie"),
    ({"Origin": "https://bank.example"}, "/headers/Origin"),
    ({"Range": "bytes=0-1"}, "/headers/Range"),
    ({"Date": "today"}, "/headers/Date"),
    ({"X-A": "a", "x-a": "b"}, "/headers"),
    ({"X-A": "a", "X_A": "b"}, "/headers"),
    ({"x" * 9_000: "a"}, "/headers"),
    ({"y" * 300: "a"}, f"/headers/{'y' * 200}"),
    ({f"X-{n}": "a" for n in range(21)}, "/headers"),
    ({f"X-{n}": "a" for n in range(1_000)}, "/headers"),
    ({"X-A": "a" * 4_096}, "/headers"),
]
NEAR = "https://hooks.example.invalid"
EVERY_WRONG = WRONG + [({"headers": headers}, pointer) for headers, pointer in HEADERS]


@pytest.mark.parametrize(("fields", "pointer"), EVERY_WRONG)
def test_t41_what_is_wrong_is_pointed_to_when_an_endpoint_is_made_and_when_it_is_changed(
    fields: dict[str, Any], pointer: str, caller: Caller, acme: Tenant
) -> None:
    endpoint = made(acme)
    before = list(Endpoint.objects.values())
    answer = caller.post("/webhook-endpoints", {**NEW, **fields})
    assert answer.pointers == [pointer]
    assert caller.patch(f"/webhook-endpoints/{endpoint.pk}", fields).pointers == [pointer]
    assert list(Endpoint.objects.values()) == before


@pytest.mark.parametrize(
    "headers",
    [
        {"X-A": ""},
        {"Authorization": "Bearer x"},
        {"X-A": "a b\tc"},
        {"!#$%&'*+.^_`|~-": "!~"},
        {"x" * 100: "a"},
        {f"X-{n}": "a" for n in range(20)},
        {"X-A": "a" * 4_093},
    ],
)
def test_t41_headers_that_are_right_are_taken(headers: dict[str, str], caller: Caller) -> None:
    answer = caller.post("/webhook-endpoints", {**NEW, "headers": headers})
    assert (answer.status, set(answer.body["headers"])) == (201, set(headers))


def test_every_broken_rule_is_said_at_once(caller: Caller) -> None:
    answer = caller.post(
        "/webhook-endpoints",
        {"url": "http://127.0.0.1/", "events": ["x"], "headers": {"Host": "a", "B\n": "c"},
         "timeout_seconds": 99, "retry": {"colour": 1}},
    )  # fmt: skip
    assert set(answer.pointers) == {
        "/url", "/events/0", "/headers/Host", "/headers/B\n", "/timeout_seconds", "/retry/colour",
    }  # fmt: skip


@pytest.mark.parametrize("body", [{}, {"description": "x"}])
def test_a_url_there_must_be(body: dict[str, Any], caller: Caller) -> None:
    assert caller.post("/webhook-endpoints", body).pointers == ["/url"]


def test_a_change_of_nothing_is_refused(caller: Caller, acme: Tenant) -> None:
    path = f"/webhook-endpoints/{made(acme).pk}"
    assert caller.patch(path, {}).status == 422
    assert caller.call("PATCH", path).status == 400


def test_a_url_that_is_not_changed_is_not_looked_at_again(
    caller: Caller, acme: Tenant, settings: Any
) -> None:
    """It may lead elsewhere today; that is judged when something is sent."""
    settings.EGRESS_ALLOW = ["127.0.0.1:9"]
    endpoint = made(acme, url="http://127.0.0.1:9/hook")
    settings.EGRESS_ALLOW = []
    path = f"/webhook-endpoints/{endpoint.pk}"
    assert caller.patch(path, {"description": "x"}).status == 200
    assert caller.patch(path, {"url": endpoint.url, "description": "y"}).status == 200
    assert caller.patch(path, {"url": f"{endpoint.url}2"}).pointers == ["/url"]


def test_a_url_that_was_looked_at_is_stored_as_plain_text(acme: Tenant) -> None:
    assert type(judged(Definition(url=looked_at(URL)))["url"]) is str


def test_of_very_many_unknown_fields_some_are_pointed_to(caller: Caller) -> None:
    retry = {f"x{n}": 1 for n in range(1_000)}
    assert len(caller.post("/webhook-endpoints", {**NEW, "retry": retry}).pointers) == 10


def test_what_stands_behind_a_mask_counts_as_long_as_it_is(caller: Caller, acme: Tenant) -> None:
    path = f"/webhook-endpoints/{made(acme, headers={'X-A': 'a' * 4_000}).pk}"
    more = {"X-A": "***", "X-B": "b" * 100}
    assert caller.patch(path, {"headers": more}).pointers == ["/headers"]
    assert caller.patch(path, {"headers": {**more, "X-B": "b" * 80}}).status == 200


@pytest.mark.parametrize(
    "url",
    [
        "https://thief.example.invalid/x",
        "https://hooks.example.invalid.thief.invalid/x",
        "http://hooks.example.invalid/x",
        "https://hooks.example.invalid:8443/x",
    ],
)
@pytest.mark.parametrize("headers", [{}, {"headers": {"X-A": "***", "X-B": "new"}}])
def test_t41_a_header_that_nobody_may_read_goes_to_no_other_host(
    url: str, headers: dict[str, Any], caller: Caller, acme: Tenant
) -> None:
    endpoint = made(acme, url=f"{NEAR}/x", headers={"X-A": "c4nary", "X-B": "secret"})
    before = Endpoint.objects.values().get()
    path = f"/webhook-endpoints/{endpoint.pk}"
    answer = caller.patch(path, {"url": url, **headers})
    assert answer.status == 422
    assert answer.pointers == (["/headers/X-A"] if headers else ["/headers/X-A", "/headers/X-B"])
    assert answer.body["errors"][0]["detail"] == "give the value again for a new host"
    assert Endpoint.objects.values().get() == before
    for taken in ({"X-A": "c4nary", "X-B": "again"}, {}):
        answer = caller.patch(path, {"url": url, "headers": taken})
        assert (answer.status, set(answer.body["headers"])) == (200, set(taken))


@pytest.mark.parametrize(
    "url", [f"{NEAR}/another?place=1", "HTTPS://Hooks.Example.Invalid:443/x", f"{NEAR}./x"]
)
def test_a_header_stays_where_the_host_stays(url: str, caller: Caller, acme: Tenant) -> None:
    endpoint = made(acme, url=f"{NEAR}/x", headers={"X-A": "c4nary"})
    assert caller.patch(f"/webhook-endpoints/{endpoint.pk}", {"url": url}).status == 200
    assert Endpoint.objects.get().headers == endpoint.headers


def test_without_a_secret_header_the_host_changes_freely(caller: Caller, acme: Tenant) -> None:
    path = f"/webhook-endpoints/{made(acme).pk}"
    assert caller.patch(path, {"url": "https://other.example.invalid/"}).status == 200

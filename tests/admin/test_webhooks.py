"""Endpoints in the admin: the list, the page of one, and the verbs."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEntry, Membership, Tenant
from accounts.roles import Role
from tests.admin.conftest import ANONYMOUS, KINDS, PLAIN, STAFF, SUPERUSER, Browser
from tests.admin.jobs_around import queues, text_of
from tests.admin.webhooks_around import (
    ENDPOINTS,
    EVE,
    act,
    attempted,
    failing,
    ids_in,
    made,
    page_of,
    told,
)
from webhooks import disabling, statistics, verbs
from webhooks.models import Delivery, Endpoint
from webhooks.policies import DisabledBecause


@pytest.fixture(autouse=True)
def _queues(db: None) -> None:
    queues()


def again(endpoint: Endpoint) -> Endpoint:
    return Endpoint.objects.get(pk=endpoint.pk)


def test_the_list_says_what_each_hears_and_how_it_fares(acme: Tenant, browser: Browser) -> None:
    endpoint = made(
        acme, description="the shop", events=["job.completed", "job.failed"], queues=["mail"]
    )
    for _ in range(3):
        told(endpoint)
    told(endpoint, "failed")
    told(endpoint, "pending")
    text = text_of(browser(Role.VIEWER).get(ENDPOINTS))
    assert "https://hooks.example.invalid/in" in text
    assert "the shop" in text
    assert "Job completed, job failed, from queue mail" in text
    assert "75.0%" in text
    assert '<td data-label="Pending" class="cel-number">1</td>' in text
    assert "data-act" not in text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=SHOP", {"shop"}),
        ("q=warehouse", {"off"}),
        ("q=none", set()),
        ("state=delivering", {"shop"}),
        ("state=failing", {"ill"}),
        ("state=disabled", {"off", "gone"}),
        ("state=nonsense", {"shop", "off", "ill", "gone"}),
        ("before=nonsense", {"shop", "off", "ill", "gone"}),
        ("tenant=other", set()),
    ],
)
def test_the_list_is_searched_and_filtered(
    query: str, found: set[str], acme: Tenant, browser: Browser
) -> None:
    names = {made(acme, "https://shop.example.com/").pk: "shop"}
    names[made(acme, description="The Warehouse", enabled=False).pk] = "off"
    ill, gone = made(acme), made(acme)
    names |= {ill.pk: "ill", gone.pk: "gone"}
    failing(ill)
    disabling.disable(gone, DisabledBecause.GONE)
    text = text_of(browser(Role.VIEWER).get(f"{ENDPOINTS}?{query}"))
    shown = Endpoint.objects.filter(pk__in=ids_in(text, "endpoint"))
    assert {names[one.pk] for one in shown} == found


def test_figures_of_the_newest_deliveries_alone_say_so(
    acme: Tenant, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "MOST_COUNTED", 3)
    endpoint, client = made(acme), browser(Role.VIEWER)
    for _ in range(2):
        told(endpoint)
    assert "data-of-newest" not in text_of(client.get(page_of(endpoint)))
    for _ in range(2):
        told(endpoint)
    assert "its newest 3 deliveries" in text_of(client.get(page_of(endpoint)))


def test_the_state_is_told_in_words(acme: Tenant, browser: Browser) -> None:
    well, ill, off, gone = (made(acme) for _ in range(4))
    made(acme)
    Endpoint.objects.filter(pk=well.pk).update(last_success_at=timezone.now())
    failing(ill)
    verbs.change(off, {"enabled": False}, EVE)
    disabling.disable(gone, DisabledBecause.GONE)
    text = text_of(browser(Role.VIEWER).get(ENDPOINTS))
    for word, more in (
        ("ready", "nothing was sent yet"), ("delivering", ""), ("disabled", "switched off"),
        ("failing", "for 3 h, 4 times in a row"), ("disabled", "answered 410 Gone"),
    ):  # fmt: skip
        assert f'data-endpoint-state="{word}"' in text
        assert more in text


def test_what_jobs_bring_and_what_was_deleted_is_not_listed_and_has_no_page(
    acme: Tenant, browser: Browser
) -> None:
    deleted = made(acme)
    verbs.delete(deleted, EVE)
    brought = Endpoint.objects.create(tenant=acme, url="https://x.example", is_of_jobs=True)
    viewer = browser(Role.VIEWER)
    assert ids_in(text_of(viewer.get(ENDPOINTS)), "endpoint") == []
    assert viewer.get(page_of(deleted)).status_code == 404
    assert viewer.get(page_of(brought)).status_code == 404


def test_the_list_goes_on_and_says_how_far_it_looked(
    acme: Tenant, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.admin.newest.PAGE", 2)
    found = [made(acme, description=f"number {number}") for number in range(5)]
    viewer = browser(Role.VIEWER)
    first = viewer.get(ENDPOINTS)
    assert ids_in(text_of(first), "endpoint") == [str(found[4].pk), str(found[3].pk)]
    older = viewer.get(f"{ENDPOINTS}{first.context['older_url']}")
    assert ids_in(text_of(older), "endpoint") == [str(found[2].pk), str(found[1].pk)]

    monkeypatch.setattr("jobs.admin.newest.LOOK", 3)
    looked = viewer.get(f"{ENDPOINTS}?q=number 0")
    assert ids_in(text_of(looked), "endpoint") == []
    further = viewer.get(f"{ENDPOINTS}{looked.context['further_url']}")
    assert ids_in(text_of(further), "endpoint") == [str(found[0].pk)]


def test_each_page_asks_as_often_for_many_as_for_one(acme: Tenant, browser: Browser) -> None:
    viewer, one = browser(Role.VIEWER), made(acme)
    attempted(told(one, "failed", job_id=uuid4()))
    pages = (ENDPOINTS, f"{ENDPOINTS}?q=hooks", page_of(one))

    def cost() -> list[int]:
        counted = []
        for page in pages:
            with CaptureQueriesContext(connection) as queries:
                assert viewer.get(page).status_code == 200
            counted.append(len(queries))
        return counted

    before = cost()
    for endpoint in [one, *(made(acme) for _ in range(5))]:
        attempted(told(endpoint, "failed", job_id=uuid4()))
    assert cost() == before


def test_the_page_tells_facts_figures_secrets_and_deliveries(
    acme: Tenant, browser: Browser
) -> None:
    endpoint = made(
        acme, headers={"X-Key": "very-secret-value"}, retry={"schedule": [5, 60]},
        timeout_seconds=7, types=["diagnostics.echo"],
    )  # fmt: skip
    secret = verbs.rotate_secret(endpoint, EVE)
    delivery = told(endpoint, "failed", job_id=uuid4())
    attempted(delivery)
    answer = browser(Role.VIEWER).get(page_of(endpoint))
    text = text_of(answer)
    assert f'data-delivery="{delivery.pk}"' in text
    assert f"/admin/jobs/job/{delivery.job_id}/change/" in text
    assert "3 attempts, after 5 s, 1 min" in text
    assert "X-Key" in text
    assert "***" in text
    assert "very-secret-value" not in text
    assert secret not in text
    assert len(answer.context["secrets"]) == 2
    assert dict(answer.context["tiles"])["Failed"] == "1"
    assert answer.context["chart"].bars[-1].parts[0].name == "failed"
    assert "data-endpoint-actions" not in text


def test_a_url_is_a_link_that_says_nothing_of_where_it_was_found(
    acme: Tenant, browser: Browser
) -> None:
    text = text_of(browser(Role.VIEWER).get(page_of(made(acme))))
    assert '<a href="https://hooks.example.invalid/in" rel="noreferrer noopener"' in text


def test_t24_no_text_of_an_endpoint_becomes_markup_or_a_script(
    acme: Tenant, browser: Browser
) -> None:
    endpoint = made(acme, description="<b>bold</b>")
    odd = "javascript:alert(1)//<script>alert(2)</script>"
    headers = {"<i>odd</i>": "x"}
    Endpoint.objects.filter(pk=endpoint.pk).update(url=odd, headers=headers, types=["<u>t</u>"])
    told(endpoint)
    admin = browser(Role.ADMIN)
    for page in (ENDPOINTS, *(page_of(endpoint, way) for way in ("change", "edit", "replay"))):
        text = text_of(admin.get(page))
        assert "<script>alert" not in text
        assert "<b>bold" not in text
        assert "<i>odd" not in text
        assert "<u>t" not in text
        assert 'href="javascript:' not in text
    assert "<script>alert" not in admin.post(
        f"{ENDPOINTS}act/delete/", {"endpoint": str(endpoint.pk)}
    ).content.decode()  # fmt: skip


def test_no_page_has_a_script_or_a_style_of_its_own(acme: Tenant, browser: Browser) -> None:
    endpoint, admin = made(acme), browser(Role.ADMIN)
    told(endpoint)
    ways = [page_of(endpoint, way) for way in ("change", "edit", "replay", "rotate")]
    for page in (ENDPOINTS, f"{ENDPOINTS}add/", f"{ENDPOINTS}own-secret/", *ways):
        main = text_of(admin.get(page)).partition('id="content"')[2]
        assert main
        for inline in ("<style", " onclick=", " style=", "<script>"):
            assert inline not in main


def test_an_admin_disables_enables_and_deletes_and_it_is_audited(
    acme: Tenant, browser: Browser
) -> None:
    one, two = made(acme), made(acme)
    admin = browser(Role.ADMIN)
    assert act(admin, "disable", one, two) == 302
    assert "2 endpoints disabled." in text_of(admin.get(ENDPOINTS))
    assert not again(one).enabled
    assert act(admin, "disable", one) == 302
    assert "that is so already" in text_of(admin.get(ENDPOINTS))
    assert act(admin, "enable", one) == 302
    assert again(one).enabled
    assert act(admin, "delete", two) == 200  # the question
    assert again(two).deleted_at is None
    assert act(admin, "delete", two, confirmed="1") == 302
    assert again(two).deleted_at is not None
    by_me = AuditEntry.objects.filter(object_type="endpoint", actor="user:the-admin")
    assert sorted(by_me.values_list("action", flat=True)) == [
        "endpoint.change", "endpoint.change", "endpoint.delete", "endpoint.enable",
    ]  # fmt: skip


def test_an_operator_sends_a_test_and_one_that_is_disabled_is_left_alone(
    acme: Tenant, browser: Browser
) -> None:
    on, off = made(acme), made(acme, enabled=False)
    operator = browser(Role.OPERATOR)
    assert act(operator, "test", on, off) == 302
    text = text_of(operator.get(ENDPOINTS))
    assert "1 endpoint sent a test." in text
    assert "1 endpoint left alone: it is disabled." in text
    assert Delivery.objects.get().event.name == "endpoint.test"


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_person_does_what_its_role_allows(
    kind: str, acme: Tenant, browser: Browser
) -> None:
    endpoint, client = made(acme), browser(kind)
    looks = {client.get(page).status_code for page in (ENDPOINTS, page_of(endpoint))}
    writes = {
        client.get(page).status_code
        for page in (
            f"{ENDPOINTS}add/", f"{ENDPOINTS}own-secret/", page_of(endpoint, "edit"),
            page_of(endpoint, "rotate"), page_of(endpoint, "replay"),
        )
    }  # fmt: skip
    tests, disables = act(client, "test", endpoint), act(client, "disable", endpoint)
    may_write = kind in (Role.OPERATOR, Role.ADMIN, SUPERUSER)
    if kind in (ANONYMOUS, PLAIN):
        assert looks | writes | {tests, disables} == {302}
    elif kind == STAFF:
        assert looks | writes | {tests, disables} <= {403, 404}
    else:
        assert looks == {200}
        assert writes == ({200} if may_write else {403})
        assert {tests, disables} == ({302} if may_write else {403})
    assert again(endpoint).enabled is not may_write
    assert Delivery.objects.exists() is may_write


@pytest.mark.parametrize("role", Role)
def test_the_api_and_the_admin_let_the_same_people_change_endpoints(
    role: Role, acme: Tenant, browser: Browser
) -> None:
    endpoint, client = made(acme), browser(role)
    may_write = role.holds(Role.OPERATOR)
    given = {"description": "by the API"}
    place = f"/api/v1/webhook-endpoints/{endpoint.pk}"
    by_api = client.patch(place, given, content_type="application/json")
    by_admin = client.get(page_of(endpoint, "edit"))
    assert by_api.status_code == by_admin.status_code == (200 if may_write else 403)
    assert (again(endpoint).description == "by the API") is may_write
    for text in (text_of(client.get(ENDPOINTS)), text_of(client.get(page_of(endpoint)))):
        assert ('data-act="disable"' in text) is may_write
    by_api = client.post(f"{place}/rotate-secret", {}, content_type="application/json")
    by_admin = client.get(page_of(endpoint, "rotate"))
    assert (by_api.status_code == 403, by_admin.status_code == 403) == (not may_write,) * 2


def test_a_role_counts_in_its_own_tenant_alone(
    acme: Tenant, other: Tenant, browser: Browser
) -> None:
    mine, theirs = made(acme), made(other)
    admin = browser(Role.ADMIN)
    Membership.objects.create(user_id=admin.session["_auth_user_id"], tenant=other, role="viewer")
    assert admin.get(page_of(theirs)).status_code == 200
    assert "data-endpoint-actions" not in text_of(admin.get(page_of(theirs)))
    for way in ("edit", "replay", "rotate"):
        assert admin.get(page_of(theirs, way)).status_code == 403
    assert act(admin, "disable", theirs) == 403
    assert act(admin, "disable", mine, theirs) == 302
    assert "needs the role operator in other" in text_of(admin.get(ENDPOINTS))
    assert (again(mine).enabled, again(theirs).enabled) == (False, True)
    assert admin.get(f"{ENDPOINTS}add/?tenant=other").status_code == 404
    assert admin.post(f"{ENDPOINTS}own-secret/", {"tenant": "other"}).status_code == 404


def test_what_is_not_there_or_not_ones_own_is_404_and_left_alone(
    acme: Tenant, other: Tenant, browser: Browser
) -> None:
    own, foreign, admin = made(acme), made(other), browser(Role.ADMIN)
    for name in (foreign.pk, uuid4()):
        for way in ("change", "edit", "replay", "rotate"):
            assert admin.get(f"{ENDPOINTS}{name}/{way}/").status_code == 404
    assert admin.get(f"{ENDPOINTS}7/change/").status_code == 404
    assert act(admin, "disable", foreign) == 302
    assert act(admin, "explode", own) == 404
    assert admin.get(f"{ENDPOINTS}act/disable/").status_code == 404
    assert admin.get(f"{ENDPOINTS}{own.pk}/delete/").status_code == 403
    assert admin.post(ENDPOINTS).status_code == 403
    assert admin.post(page_of(own)).status_code == 403
    assert admin.get(page_of(own, "history")).status_code == 302
    assert (again(own).enabled, again(foreign).enabled) == (True, True)


def test_replay_sends_again_what_failed_since_then(acme: Tenant, browser: Browser) -> None:
    endpoint, operator = made(acme), browser(Role.OPERATOR)
    failed, arrived = told(endpoint, "failed"), told(endpoint)
    place = page_of(endpoint, "replay")
    given = {"since": "2020-01-01T00:00", "until": "", "which": "failed"}

    wrong = text_of(operator.post(place, {**given, "since": "yesterday"}))
    assert 'id="id_since_error"' in wrong
    assert operator.post(place, given).status_code == 302
    assert "1 delivery is sent again." in text_of(operator.get(page_of(endpoint)))
    assert Delivery.objects.get(pk=failed.pk).status == "pending"
    assert Delivery.objects.get(pk=arrived.pk).status == "delivered"
    operator.post(place, {**given, "which": "all"})
    assert Delivery.objects.get(pk=arrived.pk).status == "pending"

    verbs.change(endpoint, {"enabled": False}, EVE)
    assert "is disabled or deleted" in text_of(operator.post(place, given))

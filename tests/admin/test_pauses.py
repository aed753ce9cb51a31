"""Pausing, resuming and limiting from the admin: who may, what happens, what is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry, Tenant
from accounts.roles import Role
from jobs.models import Pause, PauseKind, Queue
from jobs.operations import Actor
from jobs.policies import limiting, pausing
from tests.admin.conftest import ANONYMOUS, KINDS, PLAIN, STAFF, SUPERUSER, Browser
from tests.admin.jobs_around import queues, text_of
from tests.jobs.making import fresh, queued, send

LIST, ADD = "/admin/jobs/pause/", "/admin/jobs/pause/add/"
QUEUES = "/admin/jobs/queue/"
MAIL = f"{QUEUES}mail/change/"
EVE = Actor(name="user:eve")
SEEING = (*(role.value for role in Role), SUPERUSER)


@pytest.fixture(autouse=True)
def _queues(db: None) -> None:
    queues()


@pytest.fixture
def root(browser: Browser) -> Client:
    return browser(SUPERUSER)


def act(verb: str, queue: str = "mail") -> str:
    return reverse(f"admin:jobs_queue_{verb}", args=[queue])


def pause_of(kind: str, target: str, tenant: Tenant | None = None, **terms: Any) -> Pause:
    return pausing.pause(PauseKind(kind), target, EVE, tenant=tenant, **terms)[0]


def told(client: Client, address: str, **fields: Any) -> str:
    return text_of(client.post(address, fields, follow=True))


def in_force() -> list[tuple[str, str]]:
    return list(Pause.objects.filter(pausing.IN_FORCE).values_list("kind", "target"))


# --- the page of a queue ---------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["pause", "resume", "limits"])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != SUPERUSER])
def test_only_platform_admins_change_a_queue(kind: str, verb: str, browser: Browser) -> None:
    if verb == "resume":
        pause_of("queue", "mail")
    before = in_force(), Queue.objects.filter(pk="mail").values().get()
    answer = browser(kind).post(act(verb), {"max_concurrency": "1", "weight": "2"})
    assert answer.status_code == (302 if kind in (ANONYMOUS, PLAIN) else 403)
    assert (in_force(), Queue.objects.filter(pk="mail").values().get()) == before


@pytest.mark.parametrize("kind", SEEING)
def test_the_forms_are_shown_to_those_who_may_use_them(kind: str, browser: Browser) -> None:
    page = text_of(browser(kind).get(MAIL))
    assert (act("pause") in page, act("limits") in page) == ((kind == SUPERUSER,) * 2)


def test_a_queue_is_paused_and_resumed_on_its_page(root: Client, acme: Tenant) -> None:
    sent = queued(acme, queue="mail")
    send(sent)
    page = told(root, act("pause"), reason="new <b>server</b>", until="2999-01-31 12:00")
    assert "mail is paused" in page
    assert "new &lt;b&gt;server&lt;/b&gt;" in page
    assert "2999-01-31T12:00:00+00:00" in page
    assert 'value="2999-01-31 12:00:00"' in page
    assert fresh(sent).dispatched_at is None
    assert act("resume") in page

    assert "mail goes on." in told(root, act("resume"))
    assert in_force() == []
    entries = AuditEntry.objects.filter(object_type="pause").order_by("pk")
    assert [(entry.action, entry.actor) for entry in entries] == [
        ("pause.start", "user:the-superuser"),
        ("pause.end", "user:the-superuser"),
    ]


@pytest.mark.parametrize("until", ["2001-01-31 12:00", "soon"])
def test_an_end_that_is_none_is_refused_in_words(until: str, root: Client) -> None:
    assert "until: " in told(root, act("pause"), until=until)
    assert in_force() == []


def test_the_limits_of_a_queue_are_set_and_taken_away(root: Client) -> None:
    page = told(root, act("limits"), max_concurrency="1", rate_limit="100/m", weight="3")
    assert "The limits of mail are set." in page
    mail = Queue.objects.get(pk="mail")
    assert (mail.max_concurrency, mail.rate_limit, mail.weight) == (1, "100/m", 3)
    assert "1 at once, 100/m" in text_of(root.get(QUEUES))

    told(root, act("limits"), max_concurrency="", rate_limit="", weight="3")
    mail.refresh_from_db()
    assert (mail.max_concurrency, mail.rate_limit) == (None, "")


@pytest.mark.parametrize(
    "fields",
    [{"max_concurrency": "0"}, {"max_concurrency": "x"}, {"rate_limit": "fast"},
     {"rate_limit": "20000/m"}, {"weight": ""}, {"weight": "101"}],
)  # fmt: skip
def test_limits_that_make_no_sense_are_refused_in_words(
    fields: dict[str, str], root: Client
) -> None:
    assert f"{next(iter(fields))}: " in told(root, act("limits"), **{"weight": "1", **fields})
    assert not AuditEntry.objects.filter(action="queue.change").exists()


@pytest.mark.parametrize("verb", ["pause", "resume", "limits"])
def test_a_queue_is_changed_by_post_and_only_where_it_exists(verb: str, root: Client) -> None:
    assert root.get(act(verb)).status_code == 404
    assert root.post(act(verb, "nowhere")).status_code == 404


@pytest.mark.parametrize("kind", SEEING)
def test_the_list_of_queues_says_which_are_paused(kind: str, browser: Browser) -> None:
    client, badge = browser(kind), '<span class="cel-badge">paused</span>'
    assert badge not in text_of(client.get(QUEUES))
    pause = pause_of("queue", "mail")
    assert text_of(client.get(QUEUES)).count(badge) == 1
    Pause.objects.filter(pk=pause.pk).update(until=Now() - timedelta(seconds=1))
    assert badge not in text_of(client.get(QUEUES))


def test_workers_and_queues_that_do_not_exist_are_not_found(root: Client) -> None:
    assert root.get(f"{QUEUES}nowhere/change/").status_code == 404
    assert root.get("/admin/jobs/worker/nobody/change/").status_code == 404
    assert root.get("/admin/jobs/worker/").status_code == 200


# --- the page of pauses ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_the_pages_of_pauses_open_to_whom_they_should(
    kind: str, browser: Browser, acme: Tenant, other: Tenant
) -> None:
    client = browser(kind)
    shown, hidden = pause_of("tenant", "acme"), pause_of("tenant", "other")
    met = [
        client.get(address).status_code
        for address in (LIST, ADD, f"{LIST}{shown.pk}/change/", f"{LIST}{hidden.pk}/change/")
    ]
    expected = {
        ANONYMOUS: [302] * 4,
        PLAIN: [302] * 4,
        STAFF: [403] * 4,
        SUPERUSER: [200] * 4,
    }
    assert met == expected.get(kind, [200, 403, 200, 404])


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != SUPERUSER])
def test_only_platform_admins_pause_and_resume(kind: str, browser: Browser, acme: Tenant) -> None:
    pause = pause_of("tenant", "acme")
    client = browser(kind)
    client.post(f"{LIST}{pause.pk}/resume/")
    client.post(LIST, {"action": "resume_selected", "_selected_action": str(pause.pk)})
    client.post(ADD, {"kind": "queue", "target": "mail"})
    assert in_force() == [("tenant", "acme")]


def test_g10_a_member_is_shown_what_holds_back_his_own_jobs(
    browser: Browser, acme: Tenant, other: Tenant
) -> None:
    pause_of("queue", "mail")
    for tenant in (acme, other):
        pause_of("key", f"key-of-{tenant.slug}", tenant)
    page = text_of(browser("viewer").get(LIST))
    assert "queue mail" in page
    assert "key-of-acme" in page
    assert "key-of-other" not in page


def test_the_list_tells_what_holds_and_what_is_over(root: Client) -> None:
    over = pause_of("queue", "mail", reason="first")
    pausing.end(over, Actor(name="user:bob"))
    pause_of("queue", "reports", reason="second")
    page = text_of(root.get(LIST))
    assert all(word in page for word in ("first", "second", "user:bob", "in force"))


def test_pauses_are_ended_from_the_list_and_from_their_page(root: Client) -> None:
    pauses = [pause_of("queue", name) for name in ("mail", "reports", "default")]
    chosen = {"action": "resume_selected", "_selected_action": [one.pk for one in pauses[:2]]}
    assert "2 pauses ended." in text_of(root.post(LIST, chosen, follow=True))
    assert in_force() == [("queue", "default")]
    own = f"{LIST}{pauses[2].pk}/"
    assert f"{own}resume/" in text_of(root.get(f"{own}change/"))
    assert "1 pause ended." in told(root, f"{own}resume/")
    assert f"{own}resume/" not in text_of(root.get(f"{own}change/"))
    assert "0 pauses ended." in told(root, f"{own}resume/")


@pytest.mark.parametrize(
    ("fields", "owner"),
    [
        ({"kind": "queue", "target": "mail"}, None),
        ({"kind": "queue", "target": "mail", "tenant": "other"}, None),
        ({"kind": "tenant", "target": "acme"}, "acme"),
        ({"kind": "key", "target": "site:a", "tenant": "other"}, "other"),
    ],
)
def test_a_pause_of_anything_is_added(
    fields: dict[str, str], owner: str | None, root: Client, acme: Tenant, other: Tenant
) -> None:
    told(root, ADD, reason="why not", until="2999-01-31 12:00", **fields)
    pause = Pause.objects.get()
    assert (pause.kind, pause.target, pause.reason) == (fields["kind"], fields["target"], "why not")
    assert (pause.tenant.slug if pause.tenant else None) == owner
    assert pause.until is not None
    assert (pause.until.year, pause.created_by) == (2999, "user:the-superuser")


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "queue", "target": "nowhere"},
        {"kind": "type", "target": "no.such"},
        {"kind": "key", "target": "a", "tenant": ""},
        {"kind": "queue", "target": "mail", "until": "2001-01-31 12:00"},
    ],
)
def test_a_pause_of_nothing_is_not_added(
    fields: dict[str, str], root: Client, acme: Tenant
) -> None:
    answer = root.post(ADD, fields)
    assert answer.status_code == 200
    assert not Pause.objects.exists()


# --- limits of a tenant ----------------------------------------------------------------------

TENANT = {"slug": "new", "name": "New", "plan_name": "basic"}


def test_the_limits_of_a_tenant_are_set_on_its_page(root: Client) -> None:
    limits = {"max_running": "5", "max_queued": "0", "rate_limit": "100/m", "weight": "3",
              "retention_days": "0.5", "max_per_day": ""}  # fmt: skip
    told(root, reverse("admin:accounts_tenant_add"), **TENANT, **limits)
    tenant = Tenant.objects.get(slug="new")
    assert (tenant.max_running, tenant.max_queued, tenant.max_per_day) == (5, 0, None)
    assert (tenant.rate_limit, tenant.weight, tenant.retention_days) == ("100/m", 3, 0.5)
    page = reverse("admin:accounts_tenant_change", args=[tenant.pk])
    told(root, page, **TENANT, **{**limits, "max_running": ""})
    tenant.refresh_from_db()
    assert tenant.max_running is None
    entry = AuditEntry.objects.get(action="tenant.change")
    assert entry.before is not None
    assert entry.after is not None
    assert (entry.before["max_running"], entry.after.get("max_running")) == (5, None)


@pytest.mark.parametrize(
    "limit",
    [{"max_running": "0"}, {"rate_limit": "fast"}, {"rate_limit": "20000/m"}, {"weight": "0"},
     {"retention_days": "-1"}, {"retention_days": "1e9"}, {"retention_days": "nan"}],
)  # fmt: skip
def test_limits_of_a_tenant_that_make_no_sense_are_refused(
    limit: dict[str, str], root: Client
) -> None:
    answer = root.post(reverse("admin:accounts_tenant_add"), {**TENANT, **limit})
    assert answer.status_code == 200
    assert not Tenant.objects.filter(slug="new").exists()


def test_a_queue_with_limits_that_is_not_paused_has_no_badge(root: Client) -> None:
    limiting.change("mail", {"max_concurrency": 2}, EVE)
    page = text_of(root.get(QUEUES))
    assert "2 at once" in page
    assert "cel-badge" not in page

"""`manage.py webhooks`: what it shows, does and refuses."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.api.moment import shown
from accounts.models import AuditEntry, Tenant
from tests.api.hooked import BY, URL, delivery, made
from tests.jobs.test_commands import Said, Terminal
from webhooks import secrets, verbs
from webhooks.models import Delivery, Endpoint

pytestmark = pytest.mark.django_db


def test_endpoints_are_listed_for_people_and_for_programs(acme: Tenant) -> None:
    first = made(acme, url=f"{URL}?a=b", events=["job.failed"], types=["diagnostics.echo"])
    second = made(acme, enabled=False, queues=["default"])
    delivery(acme, first, status="pending")
    said = Said("webhooks", "list", "--tenant=acme")
    header, newest, oldest = said.out.splitlines()
    assert header.split()[:2] == ["ID", "STATE"]
    assert newest.startswith(str(second.pk))
    assert " off " in newest
    assert "everything of queue default" in newest
    assert oldest.split()[:3] == [str(first.pk), "on", f"{URL}?a=b"]
    assert "job.failed of diagnostics.echo" in oldest
    assert oldest.split()[-1] == "1"
    document = Said("webhooks", "list", "--json", "--limit=1").document
    assert (len(document["items"]), document["more"]) == (1, True)
    assert document["items"][0]["tenant"] == "acme"


def test_where_there_is_none_it_says_so() -> None:
    assert Said("webhooks", "list").err == "There is none.\n"
    assert Said("webhooks", "deliveries", "--event=endpoint.test").err == "There is none.\n"


def test_one_is_shown_with_its_newest_deliveries_and_without_its_secrets(acme: Tenant) -> None:
    endpoint = made(acme, headers={"X-Key": "c4nary"}, description="a\x1b[2Jb")
    sent = delivery(acme, endpoint, attempts=3, last_status_code=500)
    said = Said("webhooks", "show", URL)
    for part in (str(endpoint.pk), "X-Key: ***", "0 delivered, 1 failed, 0 pending", str(sent.pk),
                 "500"):  # fmt: skip
        assert part in said.out
    document = Said("webhooks", "show", str(endpoint.pk)[:23], "--json").document
    assert [one["id"] for one in document["deliveries"]] == [str(sent.pk)]
    (secret,) = secrets.signing(acme.pk, endpoint)
    for hidden in ("c4nary", "\x1b", secret):
        assert hidden not in said.out + repr(document)


def test_it_is_drawn_on_a_terminal_as_well(acme: Tenant) -> None:
    endpoint = made(acme, url=f"{URL}/{'x' * 200}")
    delivery(acme, endpoint)
    for arguments in (["list"], ["show", str(endpoint.pk)], ["deliveries"]):
        said = Said("webhooks", *arguments, out=Terminal())
        assert (said.status, said.refusal) == (0, "")
        assert str(endpoint.pk)[:8] in said.out or arguments == ["deliveries"]


def test_a_test_is_sent_and_the_audit_trail_names_who_did(acme: Tenant) -> None:
    endpoint = made(acme)
    said = Said("webhooks", "test", str(endpoint.pk))
    (sent,) = Delivery.objects.all()
    assert said.out == f"{sent.pk}\n"
    entry = AuditEntry.objects.get(action="endpoint.test")
    assert entry.actor.partition(":")[0] == "command"
    assert Said("webhooks", "test", URL, "--json").document["event"] == "endpoint.test"


def test_a_secret_is_rotated_and_written_this_once(acme: Tenant) -> None:
    endpoint = made(acme)
    said = Said("webhooks", "rotate-secret", URL, "--keep=2h")
    assert said.err == "Nobody can read it again.\n"
    assert said.out.strip() == secrets.signing(acme.pk, endpoint)[0]
    (_, ends) = secrets.live_until(acme, endpoint)[1]
    assert ends is not None
    assert timedelta(hours=1) < ends - timezone.now() <= timedelta(hours=2)
    told = Said("webhooks", "rotate-secret", URL, "--keep=0", "--json").document["secret"]
    assert secrets.signing(acme.pk, endpoint)[0] == told
    assert "whsec_" not in repr(list(AuditEntry.objects.values()))


def test_one_is_switched_on_and_sent_what_it_missed(acme: Tenant) -> None:
    endpoint = made(acme, enabled=False)
    delivery(acme, endpoint)
    since = str(shown(timezone.now() - timedelta(hours=1)))
    said = Said("webhooks", "enable", URL, f"--replay-since={since}")
    assert said.out == f"{URL}: on\n1 delivery is sent again.\n"
    assert Endpoint.objects.get().enabled
    document = Said("webhooks", "enable", URL, "--json").document
    assert "replayed" not in document


def test_a_replay_is_of_what_failed_or_of_all(acme: Tenant) -> None:
    endpoint = made(acme)
    for status in ("failed", "delivered", "failed"):
        delivery(acme, endpoint, status=status)
    since = f"--since={shown(timezone.now() - timedelta(hours=1))}"
    assert Said("webhooks", "replay", URL, since).out == "2 deliveries are sent again.\n"
    told = Said("webhooks", "replay", URL, since, "--all", "--json").document
    assert told == {"deliveries": 1, "more": False, "next": None}


def test_deliveries_are_listed_and_filtered(acme: Tenant) -> None:
    one, two = made(acme), made(acme, url=f"{URL}/2")
    failed = delivery(acme, one, last_error="timed_out", attempts=2)
    delivered = delivery(acme, two, status="delivered", event="schedule.missed")
    said = Said("webhooks", "deliveries")
    _, newest, oldest = said.out.splitlines()
    assert newest.split()[0] == str(delivered.pk)
    assert "timed_out" in oldest

    def found(*filters: str) -> list[str]:
        document = Said("webhooks", "deliveries", "--json", *filters).document
        return [item["id"] for item in document["items"]]

    assert found(f"--endpoint={two.pk}") == [str(delivered.pk)]
    assert found("--status=failed") == [str(failed.pk)]
    assert found("--event=schedule.missed") == [str(delivered.pk)]
    assert found(f"--since={shown(timezone.now() + timedelta(hours=1))}") == []
    assert found("--job=0199a1c0-0000-7000-8000-000000000001") == []


def test_deliveries_are_sent_again_and_one_that_is_unknown_stops_no_other(acme: Tenant) -> None:
    sent = delivery(acme)
    said = Said("webhooks", "redeliver", "0" * 32, str(sent.pk), "x")
    assert said.out == f"{sent.pk}: pending\n"
    assert "There is no delivery" in said.err
    assert "'x' is no id" in said.err
    assert said.status == 2
    sent.refresh_from_db()
    assert sent.status == "pending"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["show", "nothing"], "There is no endpoint 'nothing'"),
        (["test", "ffffffff"], "There is no endpoint"),
        (["list", "--tenant=nobody"], "There is no tenant 'nobody'"),
        (["deliveries", "--job=7"], "--job: '7' is no id."),
        (["rotate-secret", URL, "--keep=8d"], "at most 7d"),
        (["replay", URL, "--since=2026-01-02T00:00:00Z", "--until=2026-01-01T00:00:00Z"],
         "--until: is not after --since"),
        (["test", URL], "disabled"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_and_ends_with_a_status(
    arguments: list[str], told: str, acme: Tenant
) -> None:
    made(acme, enabled=False)
    said = Said("webhooks", *arguments)
    assert told in said.refusal
    assert said.status != 0


def test_another_tenants_is_not_found_and_a_shared_url_wants_more(acme: Tenant) -> None:
    other = Tenant.objects.create(slug="other")
    theirs = made(other)
    assert Said("webhooks", "show", str(theirs.pk), "--tenant=acme").status == 2
    made(acme)
    assert "More than one endpoint" in Said("webhooks", "test", URL).refusal
    assert Said("webhooks", "test", URL, "--tenant=acme").status == 0
    assert Delivery.objects.get().tenant == acme
    verbs.delete(theirs, BY)
    assert Said("webhooks", "show", URL).status == 0


@pytest.mark.parametrize("moment", ["1970-01-01T00:00:00Z", "8999-12-31T23:59:59Z"])
def test_a_span_may_begin_and_end_at_any_time(moment: str, acme: Tenant) -> None:
    one = delivery(acme)
    for arguments in (
        ["deliveries", f"--since={moment}"],
        ["deliveries", f"--until={moment}"],
        ["replay", str(one.endpoint_id), f"--since={moment}"],
        ["enable", str(one.endpoint_id), f"--replay-since={moment}"],
    ):
        said = Said("webhooks", *arguments)
        assert (said.status, said.refusal) == (0, ""), arguments

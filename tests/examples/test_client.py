"""The Python client against a real Celeriac."""

from __future__ import annotations

from pathlib import Path

import pytest
from celeriac_client import Client, Conflict, Invalid, NotFound, Refused, Waited

from tests.browser.site import Site
from tests.examples.stack import token_of

SECONDS = 60


def test_a_job_is_created_watched_and_its_result_read(client: Client) -> None:
    job = client.create("diagnostics.echo", {"a": 1}, priority="high", labels={"course": "7"})
    assert (job["level"], job["labels"]) == ("high", {"course": "7"})
    ended = client.wait(job["id"], seconds=SECONDS)
    assert (ended["status"], ended["result"]) == ("completed", {"a": 1})


def test_one_key_makes_one_job(client: Client) -> None:
    first, second = (client.create("diagnostics.echo", {}, key="nightly") for _ in range(2))
    assert first["id"] == second["id"]


def test_waiting_ends_when_it_was_told_to(client: Client) -> None:
    job = client.create("diagnostics.echo", {}, delay_seconds=3600)
    with pytest.raises(Waited):
        client.wait(job["id"], seconds=0)


def test_a_list_goes_on_over_its_pages(client: Client) -> None:
    payloads = [{"type": "diagnostics.echo", "payload": {}, "labels": {"list": "long"},
                 "delay_seconds": 3600.0}] * 205  # fmt: skip
    made = client.create_batch(payloads)  # type: ignore[arg-type]  # a list of plain dicts
    found = [job["id"] for job in client.list(label="list:long", status=["scheduled", "queued"])]
    assert sorted(found) == sorted(str(one["job_id"]) for one in made["results"])


def test_a_job_is_cancelled_and_run_again(client: Client) -> None:
    job = client.create("diagnostics.echo", {"a": 1}, delay_seconds=3600)
    assert client.cancel(job["id"])["status"] == "cancelled"
    again = client.retry(job["id"], {"a": 2})
    assert (again["status"], again["payload"]) == ("queued", {"a": 2})
    assert client.wait(job["id"], seconds=SECONDS)["result"] == {"a": 2}


def test_a_batch_is_waited_for(client: Client) -> None:
    made = client.create_batch(
        [{"type": "diagnostics.echo", "payload": {"n": n}} for n in range(3)], name="three"
    )
    batch = client.wait_for_batch(made["batch_id"], seconds=SECONDS)
    assert (batch["name"], batch["counts"]["completed"]) == ("three", 3)


def test_a_file_is_handed_in(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "lecture.txt"
    path.write_text("a lecture")
    file = client.upload(path)
    assert (file["name"], file["size"]) == ("lecture.txt", 9)


def test_a_schedule_is_made_changed_run_and_removed(client: Client) -> None:
    schedule = client.create_schedule(
        "nightly", "diagnostics.echo", "0 2 * * *", payload={"a": 1}, timezone="Europe/Amsterdam"
    )
    assert schedule["in_words"] == "Every day at 02:00"
    with pytest.raises(Conflict):
        client.create_schedule("nightly", "diagnostics.echo", "@daily")
    changed = client.change_schedule(schedule["id"], cron_expression="30 3 * * *", enabled=False)
    assert (changed["in_words"], changed["enabled"]) == ("Every day at 03:30", False)
    job = client.run_schedule(schedule["id"])
    assert (job["schedule_id"], job["payload"]) == (schedule["id"], {"a": 1})
    assert client.get_schedule(schedule["id"])["last_job_id"] == job["id"]
    client.delete_schedule(schedule["id"])
    with pytest.raises(NotFound):
        client.get_schedule(schedule["id"])


def test_an_endpoint_is_made_tested_changed_and_removed(client: Client) -> None:
    endpoint = client.create_endpoint("https://hooks.example.invalid/x", events=["job.failed"])
    assert (endpoint["secret"] or "").startswith("whsec_")
    rotated = client.rotate_secret(endpoint["id"], keep_seconds=60)
    assert rotated["secret"] not in (None, endpoint["secret"])
    sent = client.test_endpoint(endpoint["id"])
    whole = client.get_delivery(sent["id"])
    assert (whole["event_id"], whole["event"]) == (sent["event_id"], "endpoint.test")
    found = client.deliveries(endpoint_id=endpoint["id"], event="endpoint.test")
    assert [one["id"] for one in found] == [sent["id"]]
    assert client.redeliver(sent["id"])["id"] == sent["id"]
    changed = client.change_endpoint(endpoint["id"], enabled=False)
    assert (changed["enabled"], len(changed["secrets"])) == (False, 2)
    assert endpoint["id"] in {one["id"] for one in client.endpoints()}
    with pytest.raises(Conflict):
        client.test_endpoint(endpoint["id"])
    client.delete_endpoint(endpoint["id"])
    with pytest.raises(NotFound):
        client.get_endpoint(endpoint["id"])


def test_a_job_is_followed_to_its_end(client: Client) -> None:
    job = client.create("diagnostics.sleep", {"seconds": 1, "steps": 4})
    seen = [(event["event"], event["data"]["status"]) for event in client.events(job_id=job["id"])]
    assert seen[0][0] == "job.snapshot"
    assert seen[-1] == ("job.completed", "completed")


def test_what_is_refused_is_told_apart(client: Client, site: Site) -> None:
    with pytest.raises(NotFound):
        client.get("0199a1c0-7d2e-7c41-9b1f-2f6d1c0a9e11")
    with pytest.raises(Invalid, match="/type") as refusal:
        client.create("no.such", {})
    assert (refusal.value.status, refusal.value.errors[0]["pointer"]) == (422, "/type")
    ended = client.wait(client.create("diagnostics.echo", {})["id"], seconds=SECONDS)
    with pytest.raises(Conflict):
        client.cancel(ended["id"])
    with pytest.raises(Refused, match="401"):
        Client(site.url, "nobody's").get(ended["id"])
    with pytest.raises(Refused, match="jobs:write"):
        Client(site.url, token_of(site.arena.tenant, ["jobs:read"])).create("diagnostics.echo", {})

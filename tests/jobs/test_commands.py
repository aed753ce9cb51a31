"""`manage.py enqueue` and `manage.py jobs`, in this process: what they write and refuse."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError, OutputWrapper
from django.db import OperationalError, connection

from accounts.models import AuditEntry, Tenant
from jobs import JobContext, Secret, job_type
from jobs.lifecycle import cancel, fail
from jobs.models import Job
from jobs.states import Status
from jobs.terminal.screen import screen
from tests.jobs.kinds import ECHO
from tests.jobs.making import ERROR, blocked, complete, fresh, queued, scheduled, start
from tests.support.webhook_urls import HOOK, INSIDE

pytestmark = pytest.mark.django_db


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Said:
    """What a command wrote, and its exit status."""

    def __init__(self, *arguments: str, out: io.StringIO | None = None) -> None:
        self._out, self._err = out or io.StringIO(), io.StringIO()
        self.refusal = ""
        try:
            call_command(*arguments, stdout=self._out, stderr=self._err)
            self.status = 0
        except CommandError as error:
            self.refusal, self.status = str(error), error.returncode
        except SystemExit as end:
            self.status = int(str(end.code))

    @property
    def out(self) -> str:
        return self._out.getvalue()

    @property
    def err(self) -> str:
        return self._err.getvalue()

    @property
    def document(self) -> Any:
        return json.loads(self.out)


@pytest.fixture(autouse=True)
def acme(tenant: Tenant) -> Tenant:
    return tenant


@pytest.fixture
def secretive(declaring: None) -> str:
    """A job type with a secret parameter."""

    @job_type("tests.secretive")
    def secretive(context: JobContext, *, token: Secret[str], seconds: int = 0) -> None: ...

    return secretive.name


def enqueued(*arguments: str) -> Job:
    said = Said("enqueue", ECHO, "--tenant=acme", *arguments)
    assert said.status == 0, said.refusal
    return Job.objects.get(pk=said.out.strip())


# --- enqueue ---------------------------------------------------------------------------------


def test_a_job_is_handed_in_and_standard_output_holds_its_id_alone() -> None:
    said = Said("enqueue", ECHO, "--tenant=acme", "--payload", '{"hello": "world"}')
    job = Job.objects.get(pk=said.out.strip())
    assert (job.type, job.payload, job.tenant.slug) == (ECHO, {"hello": "world"}, "acme")
    assert job.created_by.startswith("command:")
    assert "queued, number 1" in said.err


def test_every_option_reaches_the_job() -> None:
    job = enqueued(
        "--queue=reports", "--priority=high", "--delay=2h", "--max-retries=7", "--timeout=90",
        "--unique-key=nightly", "--label=course=7", "--label=kind=a=b", "--owner=ann",
        f"--webhook-url={HOOK}",
    )  # fmt: skip
    assert (job.queue_id, job.priority, job.status) == ("reports", 75, Status.SCHEDULED)
    assert (job.max_retries, job.timeout_seconds, job.owner) == (7, 90, "ann")
    assert (job.unique_key, job.labels) == ("nightly", {"course": "7", "kind": "a=b"})
    assert job.webhook_url == HOOK
    assert job.run_at is not None
    assert round((job.run_at - job.created_at).total_seconds(), -1) == 7200


def test_a_start_time_and_a_priority_by_number_are_taken() -> None:
    job = enqueued("--run-at=2999-01-31T12:00:00+01:00", "--priority=33")
    assert job.visible_at is not None
    assert (job.visible_at.isoformat(), job.priority) == ("2999-01-31T11:00:00+00:00", 33)


def test_a_payload_may_come_from_a_file_or_from_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "payload.json"
    file.write_text('{"from": "é"}', "utf-8")
    assert enqueued(f"--payload=@{file}").payload == {"from": "é"}
    monkeypatch.setattr("sys.stdin", io.StringIO('{"from": "stdin"}'))
    assert enqueued("--payload", "-").payload == {"from": "stdin"}


def test_with_json_standard_output_is_one_document() -> None:
    said = Said("enqueue", ECHO, "--tenant=acme", "--json")
    assert said.document["id"] == str(Job.objects.get().pk)
    assert (said.document["status"], said.document["position"]) == ("queued", 1)


def test_a_unique_key_that_is_taken_gives_the_active_job_and_says_so() -> None:
    first = enqueued("--unique-key=one")
    said = Said("enqueue", ECHO, "--tenant=acme", "--unique-key=one")
    assert (said.out.strip(), said.status) == (str(first.pk), 0)
    assert "already" in said.err


def test_a_unique_key_may_change_the_job_that_waits() -> None:
    first = enqueued("--unique-key=one", "--unique-for=1h", "--retry-backoff=crawler")
    again = ["--unique-key=one", "--on-duplicate=replace", '--payload={"n": 2}']
    said = Said("enqueue", ECHO, "--tenant=acme", *again)
    assert said.out.strip() == str(first.pk)
    assert "now as you asked" in said.err
    assert fresh(first).payload == {"n": 2}
    assert first.unique_until is not None
    assert first.retry_backoff is not None
    assert enqueued("--unique-key=two", "--debounce=30s").status == Status.SCHEDULED


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([ECHO, "--debounce=5"], "--debounce: needs a unique_key"),
        ([ECHO, "--unique-key=k", "--on-duplicate=drop"], "--on-duplicate: one of"),
        ([ECHO, "--retry-backoff=slow"], "--retry-backoff: one of default, crawler"),
        (["tests.nothing"], "no job type 'tests.nothing'"),
        (["diagnostics.ech"], "Did you mean diagnostics.echo"),
        (["diagnostics.sleep", '--payload={"seconds": "x"}'], "/seconds"),
        (["diagnostics.sleep", '--payload={"secs": 1}'], "/secs: unknown parameter"),
        ([ECHO, "--payload=[1]"], "--payload: a JSON object"),
        ([ECHO, "--payload={"], "--payload: not JSON"),
        ([ECHO, '--payload={"a": NaN}'], "NaN"),
        ([ECHO, "--payload=@/no/such/file"], "cannot be read"),
        ([ECHO, "--queue=none"], "There are: "),
        ([ECHO, "--tenant=nobody"], "There is no tenant 'nobody'"),
        ([ECHO, "--priority=101"], "--priority: "),
        ([ECHO, "--priority=soon"], "--priority: "),
        ([ECHO, "--priority=95"], "--priority: is above the highest of plan"),
        ([ECHO, "--delay=tomorrow"], "--delay: "),
        ([ECHO, "--delay=1", "--run-at=2999-01-01T00:00:00Z"], "--delay: "),
        ([ECHO, "--run-at=2999-01-01"], "--run-at: "),
        ([ECHO, "--timeout=0"], "--timeout: "),
        ([ECHO, "--max-retries=101"], "--max-retries: "),
        ([ECHO, "--label=course"], "--label: "),
        ([ECHO, f"--owner={'x' * 256}"], "--owner: "),
        ([ECHO, f"--webhook-url={INSIDE}"], "--webhook-url: "),
    ],
)
def test_what_is_refused_leaves_nothing_and_says_what_would_be_taken(
    arguments: list[str], words: str, other: Tenant
) -> None:
    Tenant.objects.filter(slug="other").update(plan_name="basic")
    said = Said("enqueue", "--tenant=other", *arguments)
    assert words in said.refusal
    assert said.status in (1, 2)  # 1: the parser's, which as a program ends with 2 as well
    assert not Job.objects.exists()


# --- jobs list and show ----------------------------------------------------------------------


def test_the_newest_jobs_come_first_and_filters_narrow_the_list(
    acme: Tenant, other: Tenant
) -> None:
    done = complete(queued(acme))
    here = queued(acme, labels={"a": "1"}, owner="ann", priority="high", queue="mail")
    there = queued(other)

    def listed(*arguments: str) -> list[str]:
        return [job["id"] for job in Said("jobs", "list", "--json", *arguments).document["items"]]

    def ids(*jobs: Job) -> list[str]:
        return [str(job.pk) for job in jobs]

    assert listed() == ids(there, here, done)
    assert listed("--tenant=acme") == ids(here, done)
    assert listed("--status=completed") == ids(done)
    assert listed("--status=completed", "--status=queued") == ids(there, here, done)
    for one in ("--label=a=1", "--owner=ann", "--level=high", "--queue=mail"):
        assert listed(one) == ids(here)
    assert listed("--dead") == listed("--label=a=2") == []
    newest = Said("jobs", "list", "--json", "--limit=2").document
    assert (len(newest["items"]), newest["more"]) == (2, True)


@pytest.mark.parametrize(
    "wrong", ["--status=lost", "--queue=none", "--type=no.such", "--level=top", "--limit=0"]
)
def test_a_filter_that_is_wrong_is_refused_by_name(wrong: str) -> None:
    assert f"{wrong.partition('=')[0]}: " in Said("jobs", "list", wrong).refusal


@pytest.mark.parametrize(
    "arguments",
    [
        ["jobs", "list", "--queue", "\udcff"],
        ["jobs", "list", "--owner", "\udcff"],
        ["jobs", "list", "--label", "\udcff=a"],
        ["jobs", "list", "--tenant", "\udcff"],
        ["jobs", "list", "--limit", "9" * 5000],
        ["jobs", "show", "\udcff"],
        ["jobs", "cancel", "\udcff"],
        ["failures", "list", "--type", "\udcff"],
        ["failures", "retry", "\udcff"],
        ["pause", "key", "\udcff"],
        ["pause", "queue", "default", "--reason", "\udcff"],
        ["pause", "queue", "default", "--for", "99999999999d"],
        ["pause", "queue", "default", "--for", "9" * 500],
        ["resume", "key", "\udcff"],
        ["enqueue", "\udcff"],
        ["enqueue", ECHO, "--owner", "\udcff"],
        ["enqueue", ECHO, "--payload", '{"a": "\udcff"}'],
        ["enqueue", ECHO, "--payload", "@\udcff"],
        ["enqueue", ECHO, "--priority", "\udcff"],
        ["enqueue", ECHO, "--priority", "9" * 30],
        ["enqueue", ECHO, "--timeout", "9" * 30],
        ["enqueue", ECHO, "--delay", "99999999999d"],
    ],
)
def test_what_cannot_be_read_or_is_beyond_measure_is_refused_in_words(arguments: list[str]) -> None:
    said = Said(*arguments)
    assert said.status != 0
    assert said.refusal
    assert not Job.objects.exists()


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_fits_the_terminal_and_ids_stay_whole(
    acme: Tenant, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("LINES", "40")  # else a dumb terminal counts as 80 columns wide
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    job = queued(acme, payload={"x": "y" * 200})
    start(job)
    Job.objects.update(progress_message="m" * 300)
    terminal = Terminal()
    Said("jobs", "list", out=terminal)
    lines = terminal.getvalue().splitlines()
    assert len(lines) == 2
    assert max(map(len, lines)) <= width
    assert str(job.pk) in lines[1]
    assert "processing" in lines[1]


def test_in_a_pipe_nothing_is_cut_and_nothing_is_coloured(acme: Tenant) -> None:
    start(queued(acme))
    Job.objects.update(progress_message="m" * 300)
    said = Said("jobs", "list")
    assert "m" * 300 in said.out
    assert "\x1b" not in said.out


def test_what_a_job_says_cannot_command_the_terminal(acme: Tenant) -> None:
    evil = "\x1b]0;owned\x07\x9b31m\rover\u202e"
    job = start(queued(acme, payload={"k": evil}, labels={"l": evil}))
    fail(job, error={**ERROR, "message": evil, "traceback": evil})
    terminal = Terminal()
    for arguments in (["list"], ["show", str(job.id)]):
        Said("jobs", *arguments, out=terminal)
    assert not {"\x07", "\x9b", "\r", "\u202e"} & set(terminal.getvalue())
    assert "\x1b]" not in terminal.getvalue()


def test_show_tells_attempts_error_and_why_a_job_waits(acme: Tenant) -> None:
    failed = fresh(_failed(acme))
    said = Said("jobs", "show", str(failed.pk)).out
    for word in (str(failed.pk), "OSError: no", "Attempts", "test", "failed"):
        assert word in said
    waits = blocked(acme)
    assert "waits for another job" in Said("jobs", "show", str(waits.pk)).out
    document = Said("jobs", "show", str(failed.pk), "--json").document
    assert [one["outcome"] for one in document["attempts"]] == ["failed"]


def test_show_tells_what_became_of_the_webhook(acme: Tenant) -> None:
    job = queued(acme, webhook_url=HOOK)
    assert f"{HOOK}, pending, 0 requests" in Said("jobs", "show", str(job.pk)).out
    Job.objects.filter(pk=job.pk).update(webhook_delivered=False, webhook_attempts=3)
    assert f"{HOOK}, not delivered, 3 requests" in Said("jobs", "show", str(job.pk)).out
    assert "webhook" not in Said("jobs", "show", str(queued(acme).pk)).out


def test_secrets_are_masked(secretive: str) -> None:
    payload = json.dumps({"token": "hush-hush"})
    handed_in = Said("enqueue", secretive, "--tenant=acme", "--json", f"--payload={payload}")
    job_id = handed_in.document["id"]
    said = [
        handed_in,
        *(Said("jobs", "show", job_id, *more) for more in ([], ["--json"])),
        Said("jobs", "list", "--json"),
    ]
    assert all("***" in one.out and "hush-hush" not in one.out for one in said)


def test_a_refused_payload_does_not_repeat_its_secret(secretive: str) -> None:
    payload = json.dumps({"token": ["hush-hush"], "seconds": "x"})
    said = Said("enqueue", secretive, "--tenant=acme", f"--payload={payload}")
    assert "/seconds" in said.refusal
    assert "hush-hush" not in said.refusal + said.err + said.out


# --- ids ---------------------------------------------------------------------------------------


def test_an_id_may_be_cut_short_while_it_names_one_job(acme: Tenant) -> None:
    job = queued(acme)
    text = str(job.pk)
    for given in (text, text.upper(), text.replace("-", ""), text[:30]):
        assert Said("jobs", "show", given, "--json").document["id"] == text


def test_an_id_that_names_several_jobs_or_none_is_refused(acme: Tenant) -> None:
    first = queued(acme)
    twin = str(first.pk)[:-1] + ("0" if str(first.pk)[-1] != "0" else "1")
    Job.objects.filter(pk=queued(acme).pk).update(id=twin)
    assert "More than one" in Said("jobs", "cancel", twin[:-1]).err
    assert "no job id" in Said("jobs", "show", twin[:6]).refusal
    assert "no job id" in Said("jobs", "show", "%' OR 1=1").refusal
    assert "There is no job" in Said("jobs", "show", "00000000").refusal
    assert set(Job.objects.values_list("status", flat=True)) == {Status.QUEUED}


def test_another_tenants_job_is_not_found_where_a_tenant_is_named(
    acme: Tenant, other: Tenant
) -> None:
    job = queued(other)
    said = Said("jobs", "cancel", str(job.pk), "--tenant=acme")
    assert (said.status, fresh(job).status) == (2, Status.QUEUED)
    assert "There is no job" in said.err


# --- actions -----------------------------------------------------------------------------------


def _failed(tenant: Tenant) -> Job:
    job = queued(tenant)
    fail(start(job), error=ERROR)
    return job


def _cancelled(tenant: Tenant) -> Job:
    job = queued(tenant)
    cancel(job.pk, by="user:eve")
    return job


ACTIONS: list[tuple[str, Any, list[str], dict[str, Any]]] = [
    ("cancel", queued, [], {"status": "cancelled"}),
    ("retry", _failed, [], {"status": "queued", "run": 2}),
    ("retry", _cancelled, ['--payload={"n": 2}'], {"status": "queued", "payload": {"n": 2}}),
    ("boost", queued, ["--by=5"], {"priority": 100}),
    ("run-now", scheduled, [], {"status": "queued"}),
    ("discard", _failed, [], {"status": "failed"}),
]


@pytest.mark.parametrize(("verb", "made", "more", "wanted"), ACTIONS)
def test_an_action_changes_the_job_and_leaves_an_audit_entry(
    verb: str, made: Any, more: list[str], wanted: dict[str, Any], acme: Tenant
) -> None:
    job = made(acme)
    said = Said("jobs", verb, str(job.pk), *more)
    assert (said.status, said.err) == (0, "")
    assert str(job.pk) in said.out
    assert {name: getattr(fresh(job), name) for name in wanted} == wanted
    entry = AuditEntry.objects.get(object_id=str(job.pk))
    assert (entry.action, entry.tenant) == (f"job.{verb}", acme)
    assert entry.actor.startswith("command:")


@pytest.mark.parametrize("verb", ["cancel", "retry", "boost", "run-now", "discard"])
def test_an_action_that_the_status_forbids_changes_nothing_and_names_the_status(
    verb: str, acme: Tenant
) -> None:
    done, waiting = complete(queued(acme)), queued(acme)
    said = Said("jobs", verb, str(done.pk))
    assert said.status == 2
    assert "It is completed." in said.err
    assert fresh(done).status == Status.COMPLETED
    assert fresh(waiting).status == Status.QUEUED
    assert not AuditEntry.objects.filter(object_type="job").exists()


def test_one_job_that_refuses_stops_no_other(acme: Tenant) -> None:
    jobs = [complete(queued(acme)), queued(acme), queued(acme)]
    said = Said("jobs", "cancel", "--json", *(str(job.pk) for job in jobs))
    assert said.status == 2
    assert [one["status"] for one in said.document["items"]] == ["cancelled", "cancelled"]


# --- waiting -----------------------------------------------------------------------------------


def test_watching_a_job_that_has_ended_gives_its_result_at_once(acme: Tenant) -> None:
    job = complete(queued(acme), result={"pages": 3})
    said = Said("jobs", "watch", str(job.pk))
    assert (said.status, json.loads(said.out)) == (0, {"pages": 3})
    assert "completed" in said.err
    text = complete(queued(acme), result="a text\n\x1b[1m")
    assert Said("jobs", "watch", str(text.pk)).out == "a text\n\N{REPLACEMENT CHARACTER}[1m\n"


@pytest.mark.parametrize("made", [_failed, _cancelled])
def test_watching_a_job_that_did_not_complete_ends_with_status_1_and_the_reason(
    made: Any, acme: Tenant
) -> None:
    job = made(acme)
    said = Said("jobs", "watch", str(job.pk))
    assert (said.status, said.out) == (1, "")
    assert "failed: no" in said.err or "cancelled by user:eve" in said.err
    assert f"jobs show {job.pk}" in said.err
    machine = Said("jobs", "watch", str(job.pk), "--json")
    assert (machine.status, machine.document["id"]) == (1, str(job.pk))


@pytest.fixture
def unreachable() -> Iterator[None]:
    """No database for a while."""

    def refuse(execute: Any, *arguments: Any) -> None:
        raise OperationalError("connection refused\nand more")

    with connection.execute_wrapper(refuse):
        yield


@pytest.mark.parametrize(
    "arguments", [["enqueue", ECHO], ["jobs", "list"], ["jobs", "show", "0" * 32]]
)
def test_without_a_database_one_sentence_says_what_to_do(
    arguments: list[str], unreachable: None
) -> None:
    said = Said(*arguments)
    assert said.status == 2
    assert "connection refused" in said.refusal
    assert "manage.py up" in said.refusal
    assert "\n" not in said.refusal


def test_a_command_writes_nothing_of_its_own_into_its_output() -> None:
    stream = io.StringIO()
    screen(OutputWrapper(stream)).print("as it is", end="")
    assert stream.getvalue() == "as it is"


# --- tokens ------------------------------------------------------------------------------------


def test_a_new_token_stands_alone_on_standard_output() -> None:
    said = Said("tokens", "create", "ci")
    assert said.out.startswith("cel_")
    assert len(said.out.split()) == 1
    assert "not shown again" in said.err


def test_a_token_is_revoked_by_itself_or_by_its_id() -> None:
    whole, other = (Said("tokens", "create", name).out.strip() for name in ("one", "two"))
    assert Said("tokens", "revoke", whole).err == "one is revoked.\n"
    assert Said("tokens", "revoke", other.split("_")[1]).err == "two is revoked.\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["create", "ci", "--tenant=nobody"], "No tenant is called 'nobody'. There are: "),
        (["create", "x" * 101], "1 to 100 characters"),
        (["create", " "], "1 to 100 characters"),
        (["create", "ci", "--days=soon"], "a whole number, 1 to 36500"),
        (["create", "ci", "--scope=all"], "invalid choice"),
        (["revoke", "ci"], "a token, or the 32 digits"),
    ],
)
def test_a_token_command_that_is_refused_says_what_would_be_taken(
    arguments: list[str], words: str
) -> None:
    assert words in Said("tokens", *arguments).refusal

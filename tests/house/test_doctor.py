"""The doctor sees what is wrong and says what to do."""

import itertools
import json
import queue
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.models.functions import Now
from pytest_django import Settings

from accounts.models import Tenant
from config.doctor import (
    clock,
    database,
    examination,
    installation,
    messaging,
    processes,
    security,
    waiting,
)
from config.doctor.examination import Group, examine
from config.doctor.finding import Check, Finding, Level, ok
from jobs.dispatcher.loop import DUTY
from jobs.dispatcher.selection import WORKER_SILENT_AFTER
from jobs.enqueue import enqueue
from jobs.models import Heartbeat, Job, Leadership, Queue, Wish, Worker
from jobs.version import VERSION
from scheduling.scheduler import show_life

pytestmark = pytest.mark.django_db


def test_a_sound_database_passes() -> None:
    """That it is durable is found on a server of its own: tests/house/test_doctor_servers.py."""
    checks = (database.reachable, database.clock, database.migrated)
    assert [check().level for check in checks] == [Level.OK] * 3


def test_a_sound_redis_and_broker_pass() -> None:
    checks = (messaging.redis_server, messaging.persistence, messaging.clock, messaging.broker)
    assert [check().level for check in checks] == [Level.OK] * 4


def test_the_broker_is_named_without_its_password(settings: Settings) -> None:
    password = settings.REDIS_URL.split(":")[2].split("@")[0]
    assert password not in messaging.broker().detail


def test_the_packages_of_this_environment_are_as_locked() -> None:
    assert installation.packages().level is Level.OK


def test_a_redis_that_does_not_answer_is_a_failure_with_a_way_out(
    settings: Settings,
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    finding = messaging.redis_server()
    assert finding.level is Level.FAIL
    assert "REDIS_URL" in finding.way_out


def test_without_a_leading_dispatcher_nothing_is_sent() -> None:
    Leadership.objects.filter(duty=DUTY).delete()
    assert processes.dispatcher().level is Level.FAIL
    Leadership.objects.create(duty=DUTY, holder="here:1", expires_at=Now() + timedelta(seconds=5))
    assert processes.dispatcher().detail == "here:1 leads"


def test_a_dispatcher_whose_lease_is_over_does_not_lead() -> None:
    Leadership.objects.update_or_create(
        duty=DUTY, defaults={"holder": "gone:1", "expires_at": Now() - timedelta(seconds=1)}
    )
    assert processes.dispatcher().level is Level.FAIL


def test_beat_is_known_by_its_own_sign_of_life() -> None:
    finding = processes.beat()
    assert finding.level is Level.FAIL
    assert "celery -A config beat" in finding.way_out
    show_life()
    assert processes.beat().level is Level.OK
    Heartbeat.objects.update(seen_at=Now() - timedelta(seconds=120.6))
    assert "no sign of life for 121 s" in processes.beat().detail


def test_only_workers_seen_a_moment_ago_count() -> None:
    Worker.objects.create(name="old", incarnation=uuid4(), seen_at=Now() - timedelta(minutes=1))
    assert processes.workers().level is Level.FAIL
    Worker.objects.create(name="new", incarnation=uuid4(), seen_at=Now())
    assert processes.workers().detail == "new"


def test_paused_workers_are_told_and_do_not_count_as_taking_jobs() -> None:
    worker("resting", wish=Wish.PAUSE)
    finding = processes.workers()
    assert finding.level is Level.FAIL
    assert "resting (paused)" in finding.detail
    assert "workers resume resting" in finding.way_out
    worker("busy")
    assert processes.workers() == ok("Workers", "busy, resting (paused)")


def test_a_worker_counts_as_long_as_the_dispatcher_sends_it_jobs() -> None:
    worker("silent", seen_at=Now() - WORKER_SILENT_AFTER - timedelta(seconds=1))
    assert processes.workers().level is Level.FAIL


@pytest.mark.parametrize(
    ("name", "value", "check", "level"),
    [
        ("DEBUG", True, security.debug, Level.FAIL),
        ("SECRET_KEY", "short", security.secret_key, Level.FAIL),
        ("SECRET_KEY", "django-insecure-" + "x" * 50, security.secret_key, Level.FAIL),
        ("ALLOWED_HOSTS", ["*"], security.allowed_hosts, Level.FAIL),
        ("ALLOWED_HOSTS", ["example.org"], security.allowed_hosts, Level.OK),
        ("ADMIN_API_TOKEN", "", security.admin_token, Level.OK),
        ("ADMIN_API_TOKEN", "t" * 32, security.admin_token, Level.OK),
        ("PUBLIC_URL", "https://jobs.example.org", security.tls, Level.OK),
        ("PUBLIC_URL", "http://jobs.example.org", security.tls, Level.WARN),
    ],
)
def test_insecure_settings_are_named(
    settings: Settings, name: str, value: object, check: Check, level: Level
) -> None:
    setattr(settings, name, value)
    assert check().level is level


@pytest.mark.parametrize(
    ("name", "value", "check"),
    [("DEBUG", True, security.debug), ("ADMIN_API_TOKEN", "short", security.admin_token)],
)
def test_what_others_could_use_is_graver_than_what_only_this_machine_can(
    settings: Settings, name: str, value: object, check: Check
) -> None:
    setattr(settings, name, value)
    settings.ALLOWED_HOSTS = ["localhost"]
    assert check().level is Level.WARN
    settings.HOST = "0.0.0.0"
    assert check().level is Level.FAIL


def test_no_secret_is_shown(settings: Settings) -> None:
    assert settings.SECRET_KEY not in repr(security.secret_key())


def test_the_command_ends_with_status_1_when_something_fails(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.SECRET_KEY = "short"
    with pytest.raises(SystemExit) as ended:
        call_command("doctor")
    assert ended.value.code == 1
    shown = capsys.readouterr().out
    assert "SECRET_KEY" in shown
    assert "→" in shown


def test_every_finding_that_is_not_well_says_why_and_what_to_do(settings: Settings) -> None:
    settings.DEBUG, settings.SECRET_KEY, settings.ALLOWED_HOSTS = True, "short", ["*"]
    settings.ADMIN_API_TOKEN, settings.REDIS_URL = "short", "redis://127.0.0.1:1/0"
    for check in (
        security.debug, security.secret_key, security.allowed_hosts, security.admin_token,
        security.tls, messaging.redis_server, processes.dispatcher, processes.workers,
        processes.beat,
    ):  # fmt: skip
        finding = check()
        assert finding.level is not Level.OK
        assert finding.why
        assert finding.way_out


def test_the_findings_come_as_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):  # no dispatcher runs here
        call_command("doctor", "--json")
    findings = json.loads(capsys.readouterr().out)
    assert {"level", "subject", "detail", "why", "way_out"} == set(findings[0])
    assert {"ok", "fail"} <= {finding["level"] for finding in findings}


def worker(name: str, **fields: object) -> Worker:
    fields = {"queues": ["default"], "types": ["diagnostics.echo"], "version": VERSION} | fields
    return Worker.objects.create(name=name, incarnation=uuid4(), **fields)


@pytest.fixture
def waits() -> Job:
    """A job of type diagnostics.echo that waits in the queue `default`."""
    tenant = Tenant.objects.get(slug="default")
    return enqueue(tenant, "diagnostics.echo", {"x": 1}).job


def test_queues_without_a_worker_are_named_with_how_many_jobs_wait(waits: Job) -> None:
    worker("elsewhere", queues=["reports"])
    finding = waiting.queues()
    assert finding.level is Level.FAIL
    assert "1 in default" in finding.detail
    assert "-Q default" in finding.way_out
    worker("here")
    assert waiting.queues().level is Level.OK


def test_a_worker_that_stops_counts_as_none(waits: Job) -> None:
    worker("leaving", stopping=True)
    assert waiting.queues().level is Level.FAIL


def test_what_only_a_paused_worker_could_take_is_named_with_the_way_to_resume_it(
    waits: Job,
) -> None:
    worker("resting", wish=Wish.PAUSE)
    queues, types = waiting.queues(), waiting.job_types()
    assert [queues.level, types.level] == [Level.FAIL] * 2
    assert "1 in default (its workers are paused)" in queues.detail
    assert "1 of diagnostics.echo (its workers are paused)" in types.detail
    assert {queues.way_out, types.way_out} == {"python manage.py workers resume resting"}
    worker("busy")
    assert [waiting.queues().level, waiting.job_types().level] == [Level.OK] * 2


def test_an_empty_queue_without_a_worker_is_no_fault() -> None:
    Queue.objects.get_or_create(name="quiet")
    assert waiting.queues().level is Level.OK


def test_jobs_of_a_type_that_no_worker_knows_are_named(waits: Job) -> None:
    worker("old", types=["notes.text"])
    finding = waiting.job_types()
    assert finding.level is Level.FAIL
    assert "1 of diagnostics.echo" in finding.detail
    worker("new")
    assert waiting.job_types().level is Level.OK


def test_no_more_jobs_are_counted_than_a_bound(waits: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_LOOK_AT", 1)
    enqueue(waits.tenant, "diagnostics.echo", {"x": 2})
    assert "1 or more in default" in waiting.queues().detail


def test_workers_that_run_another_version_are_named() -> None:
    worker("same")
    assert processes.versions().level is Level.OK
    worker("other", version="0.0.1")
    assert "other runs 0.0.1" in processes.versions().detail


def test_a_database_of_a_newer_version_is_a_failure() -> None:
    MigrationRecorder(connection).record_applied("jobs", "9999_from_the_future")
    finding = database.migrated()
    assert finding.level is Level.FAIL
    assert "jobs.9999_from_the_future" in finding.detail


@pytest.mark.parametrize(("seconds", "level"), [(1.9, Level.OK), (2.1, Level.WARN)])
def test_clocks_may_differ_by_two_seconds(seconds: float, level: Level) -> None:
    now = datetime.now(UTC)
    for theirs in (now + timedelta(seconds=seconds), now - timedelta(seconds=seconds)):
        assert clock.compared("theirs", theirs, now, now).level is level


@pytest.mark.parametrize(
    ("free", "level"), [(2**30, Level.OK), (2**30 - 1, Level.WARN), (99 * 2**20, Level.FAIL)]
)
def test_a_disk_that_fills_is_noticed_in_time(
    free: int, level: Level, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = SimpleNamespace(free=free)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage)
    assert installation.disk().level is level


def test_a_secret_file_that_others_can_read_is_named(settings: Settings, tmp_path: Path) -> None:
    settings.CELERIAC_HOME = settings.BASE_DIR = tmp_path
    key = tmp_path / "secret_key"
    key.write_text("key")
    key.chmod(0o600)
    assert installation.private_files().level is Level.OK
    key.chmod(0o640)
    assert f"chmod 600 {key}" in installation.private_files().way_out


def test_a_directory_for_files_that_cannot_be_written_is_named(
    settings: Settings, tmp_path: Path
) -> None:
    settings.FILES_DIR = str(tmp_path / "files")
    assert installation.files().level is Level.OK
    (tmp_path / "files").write_text("no directory")
    finding = installation.files()
    assert finding.level is Level.FAIL
    assert "FILES_DIR" in finding.way_out


@pytest.mark.parametrize(
    ("facts", "level"),
    [
        ({"redis_version": "6.0.16"}, Level.FAIL),
        ({"redis_version": "6.2.0"}, Level.OK),
        ({"redis_version": "7.2.4", "valkey_version": "9.1.2"}, Level.OK),
        ({"redis_version": "7.4.1", "maxmemory_policy": "allkeys-lru"}, Level.WARN),
    ],
)
def test_an_old_redis_fails_and_one_that_evicts_is_warned_of(
    facts: dict[str, str], level: Level
) -> None:
    assert messaging._judged(facts).level is level


def test_a_flower_that_lets_everybody_in_is_noticed(settings: Settings) -> None:
    with answering(200) as settings.FLOWER_PORT:
        assert security.flower().level is Level.WARN
    with answering(401) as settings.FLOWER_PORT:
        assert security.flower().level is Level.OK


@contextmanager
def answering(status: int) -> Iterator[int]:
    """The port of a web server that answers everything with this status."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def group(*checks: Check) -> Group:
    return Group(name="Thing", checks=checks, why="It matters.", way_out="Mend it.")


def test_a_check_that_hangs_hides_nothing_of_the_other_groups(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    released, looks = threading.Event(), queue.Queue[threading.Thread]()
    ticks = itertools.count()

    def hang() -> Finding:
        released.wait()
        return ok("late", "")

    def answer() -> Finding:
        looks.put(threading.current_thread())
        return ok("well", "")

    def monotonic() -> float:
        """The time begins when it is first asked for; it is up when the other group answered."""
        tick = next(ticks)
        if tick == 1:
            looks.get(timeout=60).join(timeout=60)
        return float(tick)

    monkeypatch.setattr(examination, "time", SimpleNamespace(monotonic=monotonic))
    found = examine([group(hang), group(answer)], seconds=1)
    released.set()
    assert [(finding.level, finding.subject) for finding in found] == [
        (Level.FAIL, "Thing"),
        (Level.OK, "well"),
    ]
    assert found[0].way_out == "Mend it."


def test_a_check_that_breaks_is_a_finding_and_the_next_one_is_made() -> None:
    def breaks() -> Finding:
        raise RuntimeError("first line\nsecond")

    broken, well = examine([group(breaks, lambda: ok("well", ""))])
    assert (broken.level, broken.subject, broken.detail) == (Level.FAIL, "Breaks", "first line")
    assert well.level is Level.OK

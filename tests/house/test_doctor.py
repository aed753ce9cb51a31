"""The doctor sees what is wrong and says what to do."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db.models.functions import Now
from pytest_django import Settings

from config.doctor import database, installation, messaging, processes
from config.doctor.finding import Check, Level
from jobs.dispatcher.loop import DUTY
from jobs.models import Leadership, Worker

pytestmark = pytest.mark.django_db


def test_a_sound_database_passes() -> None:
    checks = (database.reachable, database.durable, database.clock, database.migrated)
    assert [check().level for check in checks] == [Level.OK] * 4


def test_a_sound_redis_and_broker_pass() -> None:
    assert messaging.redis_server().level is Level.OK
    assert messaging.broker().level is Level.OK


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


def test_only_workers_seen_a_moment_ago_count() -> None:
    Worker.objects.create(name="old", incarnation=uuid4(), seen_at=Now() - timedelta(minutes=1))
    assert processes.workers().level is Level.FAIL
    Worker.objects.create(name="new", incarnation=uuid4(), seen_at=Now())
    assert processes.workers().detail == "new"


@pytest.mark.parametrize(
    ("name", "value", "check", "level"),
    [
        ("DEBUG", True, installation.debug, Level.WARN),
        ("SECRET_KEY", "short", installation.secret_key, Level.FAIL),
        ("SECRET_KEY", "django-insecure-" + "x" * 50, installation.secret_key, Level.FAIL),
        ("ALLOWED_HOSTS", ["*"], installation.allowed_hosts, Level.FAIL),
        ("ALLOWED_HOSTS", ["example.org"], installation.allowed_hosts, Level.OK),
    ],
)
def test_insecure_settings_are_named(
    settings: Settings, name: str, value: object, check: Check, level: Level
) -> None:
    setattr(settings, name, value)
    assert check().level is level


def test_debug_pages_that_others_can_reach_are_a_failure(settings: Settings) -> None:
    settings.DEBUG, settings.HOST = True, "0.0.0.0"
    assert installation.debug().level is Level.FAIL


def test_no_secret_is_shown(settings: Settings) -> None:
    assert settings.SECRET_KEY not in repr(installation.secret_key())


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

"""Unsafe settings keep production from starting, and only production."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_django import Settings

from config.bootstrap import ROOT
from config.checks import is_public, settings_are_safe

GOOD = "k7Rw2xZp9Lm4Vt8Qs3Nd6Fy1Hb5Jc0Ga"
PUBLIC = {"ALLOWED_HOSTS": ["jobs.example.org"]}


@pytest.fixture(autouse=True)
def _own_machine(settings: Settings) -> None:
    settings.HOST = "127.0.0.1"
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
    settings.SECRET_KEY = GOOD
    settings.ADMIN_API_TOKEN = ""
    settings.DEBUG = False


def give(settings: Settings, values: dict[str, object]) -> None:
    for name, value in values.items():
        setattr(settings, name, value)


@pytest.mark.parametrize(
    ("values", "public"),
    [
        ({}, False),
        ({"HOST": "::1"}, False),
        ({"HOST": "localhost", "ALLOWED_HOSTS": []}, False),
        ({"ALLOWED_HOSTS": ["app.localhost"]}, False),
        ({"HOST": "0.0.0.0"}, True),
        ({"HOST": "10.0.0.7"}, True),
        ({"ALLOWED_HOSTS": ["localhost", "jobs.example.org"]}, True),
        ({"ALLOWED_HOSTS": ["*"]}, True),
        ({"PUBLIC_URL": "https://jobs.example.org"}, True),
    ],
)
def test_production_is_what_others_can_reach(
    settings: Settings, values: dict[str, object], public: bool
) -> None:
    give(settings, values)
    assert is_public() is public


@pytest.mark.parametrize(
    ("values", "ids"),
    [
        ({}, []),
        ({"ADMIN_API_TOKEN": "t" * 32}, []),
        ({"DEBUG": True}, ["celeriac.E001"]),
        ({"SECRET_KEY": GOOD[:31]}, ["celeriac.E002"]),
        ({"SECRET_KEY": "abab" * 10}, ["celeriac.E002"]),
        ({"SECRET_KEY": f"django-insecure-{GOOD}"}, ["celeriac.E002"]),
        ({"ADMIN_API_TOKEN": "t" * 31}, ["celeriac.E003"]),
        ({"ALLOWED_HOSTS": ["*"]}, ["celeriac.E004"]),
        ({"DEBUG": True, "SECRET_KEY": "x"}, ["celeriac.E001", "celeriac.E002"]),
    ],
)
def test_each_unsafe_setting_is_an_error_in_production(
    settings: Settings, values: dict[str, object], ids: list[str]
) -> None:
    give(settings, PUBLIC | values)
    found = settings_are_safe()
    assert [error.id for error in found] == ids
    assert all(error.hint for error in found)


@pytest.mark.parametrize(
    "values", [{"DEBUG": True}, {"SECRET_KEY": "short"}, {"ADMIN_API_TOKEN": "short"}]
)
def test_on_ones_own_machine_nothing_is_refused(
    settings: Settings, values: dict[str, object]
) -> None:
    give(settings, values)
    assert settings_are_safe() == []


def test_a_refusal_shows_no_secret(settings: Settings) -> None:
    give(settings, PUBLIC | {"SECRET_KEY": "guessable", "ADMIN_API_TOKEN": "also-guessable"})
    assert "guessable" not in repr(settings_are_safe())


PROGRAMS = {
    "web": ["-m", "uvicorn", "config.asgi:application", "--lifespan=off", "--port=0"],
    "dispatcher": ["manage.py", "dispatch"],
    "worker": ["-m", "celery", "-A", "config", "worker", "--concurrency=1"],
    "beat": ["-m", "celery", "-A", "config", "beat", "--schedule="],
    "release": ["manage.py", "prepare"],
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_no_program_starts_in_production_with_a_key_that_can_be_guessed(
    program: str, tmp_path: Path
) -> None:
    environment = {
        **os.environ,
        "HOST": "0.0.0.0",
        "SECRET_KEY": "changeme",
        "CELERIAC_HOME": str(tmp_path),
    }
    ended = subprocess.run(
        [sys.executable, *PROGRAMS[program]],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode != 0
    assert "celeriac.E002" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "changeme" not in ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("public_url", "secure"), [("https://jobs.example.org", "True"), ("", "False")]
)
def test_behind_tls_cookies_travel_over_tls_alone(
    public_url: str, secure: str, tmp_path: Path
) -> None:
    environment = {**os.environ, "CELERIAC_HOME": str(tmp_path), "PUBLIC_URL": public_url}
    if not public_url:
        del environment["PUBLIC_URL"]
    shown = subprocess.run(
        [
            sys.executable,
            "-c",
            "from config import settings as s;"
            "print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, *s.CSRF_TRUSTED_ORIGINS)",
        ],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert shown.stdout.split() == [secure, secure, *([public_url] if public_url else [])]

"""Origins that no browser sends keep Celeriac from starting."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from config.bootstrap import ROOT


def found(settings: Settings, *origins: str) -> list[str]:
    settings.CORS_ALLOWED_ORIGINS = list(origins)
    return [str(error.id) for error in run_checks(tags=["celeriac"]) if error.is_serious()]


@pytest.mark.parametrize(
    "origin",
    [
        "https://app.example", "https://app.example:8443", "http://localhost:3000",
        "http://127.0.0.1:8000", "http://[::1]:3000", "https://xn--bcher-kva.example",
        "chrome-extension://abcdefghijklmnop",
    ],
)  # fmt: skip
def test_what_browsers_send_is_taken(origin: str, settings: Settings) -> None:
    assert found(settings, origin) == []


@pytest.mark.parametrize(
    "origin",
    [
        "*", "https://*", "https://*.app.example", "https://app.example/", "https://app.example/a",
        "https://app.example?a", "https://app.example#a", "app.example", "app.example:8000",
        "//app.example", "https://", "https://App.example", "HTTPS://app.example",
        "https://app.example:443", "http://app.example:80", "https://app.example:",
        "https://app.example:port", "https://ann@app.example", " https://app.example",
        "https://bücher.example", "https://[::1", "",
    ],
)  # fmt: skip
def test_what_no_browser_sends_is_refused(origin: str, settings: Settings) -> None:
    assert found(settings, "https://good.example", origin) == ["celeriac.E011"]


def test_without_origins_nothing_is_refused(settings: Settings) -> None:
    assert found(settings) == []


def test_the_web_process_says_which_origin_it_is(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "uvicorn", "config.asgi:application", "--lifespan=off", "--port=0"],
        cwd=ROOT,
        env={
            **os.environ,
            "CELERIAC_HOME": str(tmp_path),
            "CORS_ALLOWED_ORIGINS": "https://good.example,https://app.example/",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode != 0
    assert "celeriac.E011: CORS_ALLOWED_ORIGINS has 'https://app.example/'" in ended.stderr
    assert "good.example" not in ended.stderr
    assert "Traceback" not in ended.stderr

"""`manage.py flower`: what it shows, and to whom."""

import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from django.conf import settings
from django.urls import reverse
from flower.urls import handlers
from pytest_django import DjangoDbBlocker

from config.bootstrap import ROOT
from config.embedded.ports import free_port
from jobs.models import Job
from tests.support.arena import Arena
from tests.support.programs import Program
from tests.support.waiting import wait_for

LOGIN = ("celeriac", "a password that is long")
PUBLIC_URL = "https://jobs.example"
CANARY = "a-canary-in-the-payload"
PAGES = ["/", "/workers", "/tasks", "/broker"]


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A Flower, and one job whose message it has seen."""

    url: str
    job: Job
    passwords: list[str]

    def get(self, path: str) -> requests.Response:
        return requests.get(self.url + path, auth=LOGIN, timeout=30)

    @property
    def message(self) -> str:
        """Celery's id of the message that the job went out with."""
        (found,) = (
            one for one in self.get("/api/tasks").json() if one.startswith(str(self.job.pk))
        )
        return str(found)


@pytest.fixture(scope="module")
def watched(django_db_blocker: DjangoDbBlocker) -> Iterator[Watched]:
    """Flower beside a dispatcher and a worker at work."""
    home = Path(tempfile.mkdtemp(prefix="celeriac-flower-"))
    with django_db_blocker.unblock(), Arena.at(home).open() as arena, arena.entered_at_work():
        url = f"http://127.0.0.1:{free_port()}"
        flower = _flower(arena, home, url)
        try:
            wait_for(lambda: _is_up(url), seconds=60, what="Flower answers")
            job = wait_for(lambda: _seen(arena, url), seconds=60, what="Flower sees a message")
            urls = (arena.postgres.url, arena.valkey.url)
            passwords = [str(urlsplit(one).password) for one in urls]
            yield Watched(url=url, job=job, passwords=passwords)
            flower.send(signal.SIGTERM)
            assert flower.wait_until_ended(seconds=20) == 0, flower.log_text()
            assert "Traceback" not in flower.log_text()
        finally:
            flower.clear_away()
    shutil.rmtree(home, ignore_errors=True)


def _flower(arena: Arena, home: Path, url: str) -> Program:
    argv = [sys.executable, str(ROOT / "manage.py"), "flower", f"--port={url.rpartition(':')[2]}"]
    login = {"FLOWER_BASIC_AUTH": ":".join(LOGIN), "PUBLIC_URL": PUBLIC_URL}
    return Program("flower", argv, arena.environment(**login), home).start()


def _is_up(url: str) -> bool:
    try:
        return requests.get(f"{url}/healthcheck", timeout=5).text == "OK"
    except requests.RequestException:
        return False


def _seen(arena: Arena, url: str) -> Job | None:
    """A new job, once Flower listens: it asks workers for events each five seconds."""
    job = arena.enqueue("diagnostics.echo", said=CANARY)
    wait_for(lambda: _ended(job), seconds=20, what="the job ends")
    known = requests.get(f"{url}/api/tasks", auth=LOGIN, timeout=10).json()
    return job if any(one.startswith(str(job.pk)) for one in known) else None


def _ended(job: Job) -> bool:
    job.refresh_from_db()
    return job.is_final


def _paths() -> list[str]:
    """One path for each route that this version of Flower has, and one it has not."""
    patterns = [one.regex.pattern if hasattr(one, "regex") else one[0] for one in handlers]
    paths = {re.sub(r"\(\.[+*]\)", "x", one).removesuffix("/?").rstrip("$") for one in patterns}
    return [*sorted(path for path in paths if path.startswith("/")), "/no-such-page"]


@pytest.mark.parametrize("path", _paths())
def test_without_a_login_every_address_but_the_health_check_answers_401(
    watched: Watched, path: str
) -> None:
    wanted = 200 if path == "/healthcheck" else 401
    answers = [
        requests.get(watched.url + path, timeout=10),
        requests.get(watched.url + path, auth=("celeriac", "é"), timeout=10),
    ]
    assert [answer.status_code for answer in answers] == [wanted, wanted]
    if wanted == 401:
        assert requests.post(watched.url + path, json={}, timeout=10).status_code == 401
        assert answers[0].headers["WWW-Authenticate"].startswith("Basic")


def test_the_paths_asked_for_are_flowers_own() -> None:
    assert {"/", "/tasks", "/api/tasks", "/metrics", "/task/x", "/static/x"} < set(_paths())


def test_a_message_shows_under_its_job_types_name_and_names_the_job_but_not_its_payload(
    watched: Watched,
) -> None:
    shown = watched.get(f"/api/task/info/{watched.message}").json()
    assert shown["name"] == "diagnostics.echo"
    assert shown["args"] == f"({watched.job.pk})"
    assert shown["kwargs"] == ""
    everything = [*PAGES, "/api/tasks", "/metrics", f"/task/{watched.message}"]
    assert all(CANARY not in watched.get(path).text for path in everything)


def test_a_workers_page_tells_no_password(watched: Watched) -> None:
    path = "/worker/worker@arena"
    wait_for(
        lambda: "broker_url" in watched.get(path).text, seconds=30, what="the worker's settings"
    )
    told = watched.get(path).text + watched.get("/api/workers?refresh=1").text
    assert not [one for one in [*watched.passwords, settings.SECRET_KEY, LOGIN[1]] if one in told]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_leads_back_to_the_admin(watched: Watched, path: str) -> None:
    assert f'href="{PUBLIC_URL}/admin/"' in watched.get(path).text


def test_a_messages_page_leads_to_its_job(watched: Watched) -> None:
    page = watched.get(f"/task/{watched.message}").text
    (link,) = re.findall(rf'href="{PUBLIC_URL}(/admin/[^"]*{watched.job.pk}[^"]*)"', page)
    assert link == reverse("admin:jobs_job_change", args=[watched.job.pk])


def test_no_page_loads_anything_from_another_host(watched: Watched) -> None:
    for path in [*PAGES, f"/task/{watched.message}"]:
        answer = watched.get(path)
        loaded = re.findall(r'(?:<link[^>]* href|src)="([^"]+)"', answer.text)
        assert loaded
        assert all(re.match(r"/[^/]", one) for one in loaded), loaded
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


def test_without_a_login_flower_does_not_start() -> None:
    refused = subprocess.run(
        [sys.executable, "manage.py", "flower"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert refused.returncode == 1
    assert "FLOWER_BASIC_AUTH" in refused.stderr
    assert "Traceback" not in refused.stderr

"""A Celeriac that has been at work for a day, with jobs of all kinds, for pictures of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import connection

from accounts import members, people, tenants, tokens
from accounts.models import Tenant
from accounts.roles import Role
from accounts.scopes import Scope
from config.bootstrap import ROOT
from config.embedded.ports import free_port
from docs.images.figures import write_last_day
from docs.images.outgoing import make_endpoints
from docs.images.recurring import make_schedules
from docs.images.shop.tasks import DECLINED
from jobs import operations
from jobs.enqueue import enqueue
from jobs.models import Job
from jobs.operations import Actor
from jobs.options import DependsOn, JobOptions
from jobs.states import Status
from tests.browser.site import PASSWORD, Site
from tests.support.arena import Arena
from tests.support.waiting import wait_for

APP = "docs.images.shop"
ADMIN, LOGIN = "ada", ("ada", "only for these pictures")
NOTES = "workloads/notes/samples/leases-and-fencing.md"
_TENANTS = {"harbour": "Harbour Trading", "orchard": "Orchard & Sons", "bakery": "The Old Bakery"}
_SLOTS = 3
_BY = f"user:{ADMIN}"


class Stage(Arena):
    """An arena for the pictures' own app, with leases as long as anywhere."""

    def environment(self, **more: str) -> dict[str, str]:
        own = {
            "CELERIAC_APPS": APP, "LEASE_SECONDS": "60", "FLOWER_BASIC_AUTH": ":".join(LOGIN),
        }  # fmt: skip
        return super().environment(**{**own, **more})


class Shop(Site):
    """Web, dispatcher, beat, Flower and two workers."""

    def __init__(self, arena: Arena) -> None:
        super().__init__(arena)
        self.flower_port = free_port()
        self.flower_url = f"http://127.0.0.1:{self.flower_port}"

    @contextmanager
    def at_work(self) -> Iterator[Shop]:
        with self.arena.entered():
            self._collect_static_files()
            self.arena.dispatcher()
            for name in ("worker-1", "worker-2"):
                self._start_worker(name)
            self._start_celery("beat", "beat", "--scheduler=scheduling.scheduler:Scheduler")
            port = f"--port={self.flower_port}"
            self.arena.start("flower", [sys.executable, "manage.py", "flower", port])
            self.start_web()
            yield self

    def _start_worker(self, name: str) -> None:
        self._start_celery(
            name, "worker", "--task-events", f"--hostname={name}@celeriac",
            f"--concurrency={_SLOTS}", "--loglevel=INFO",
        )  # fmt: skip

    def _start_celery(self, name: str, *argv: str) -> None:
        self.arena.start(name, [sys.executable, "-m", "celery", "-A", "config", *argv])

    # --- people --------------------------------------------------------------------------

    def populate(self) -> None:
        """Tenants, people, tokens, figures of the last day and jobs. `ada` is who looks."""
        self.ada = self._person(ADMIN, is_superuser=True, is_staff=True)
        self.tenants = [
            tenants.create(slug=slug, name=name, plan_name="enterprise", by=_BY)
            for slug, name in _TENANTS.items()
        ]
        self._give_access()
        write_last_day()
        self._past_jobs()
        self.schedule = make_schedules(self.tenants)
        self._present_jobs()
        self.endpoint, self.delivery = make_endpoints(self.tenants)

    def _person(self, name: str, **fields: Any) -> User:
        user: User = get_user_model()(username=name, **fields)
        user.set_password(PASSWORD)
        people.save(user, by=_BY)
        return user

    def _give_access(self) -> None:
        harbour, orchard, bakery = self.tenants
        for name, tenant, role in (
            ("grace", harbour, Role.ADMIN),
            ("alan", orchard, Role.OPERATOR),
            ("edsger", bakery, Role.VIEWER),
        ):
            members.put(self._person(name, is_staff=True), tenant, role, by=_BY)
        both = [Scope.JOBS_READ, Scope.JOBS_WRITE]
        for name, tenant_, scopes in (
            ("web shop", harbour, both),
            ("nightly reports", orchard, both),
            ("dashboard on the wall", bakery, [Scope.JOBS_READ, Scope.QUEUES_READ]),
            ("platform automation", None, [Scope.ADMIN]),
            ("old till", bakery, both),
        ):
            self._token(name, tenant_, scopes)

    def _token(self, name: str, tenant: Tenant | None, scopes: list[Scope]) -> None:
        expires = datetime.now(UTC) + timedelta(days=90)
        made = tokens.issue(
            name=name, tenant=tenant, scopes=scopes, expires_at=expires, issued_by=_BY
        )
        if name == "old till":
            tokens.revoke(made.token, by=_BY)
        elif name != "platform automation":
            header = {"Authorization": f"Bearer {made.text}"}
            requests.get(f"{self.url}/api/v1/me", headers=header, timeout=30).raise_for_status()

    # --- jobs ----------------------------------------------------------------------------

    def _past_jobs(self) -> None:
        """Run for real; then their age is moved, the first ones furthest back."""
        harbour, orchard, _ = self.tenants
        self.notes = self._job(
            orchard, "notes.text", {"content": _text()}, labels={"course": "systems"}, owner="ada"
        )
        for number in range(14):
            self._job(self.tenants[number % 3], "images.resize", _image(number))
            self._job(self.tenants[number % 3], "mail.send", _mail(number), priority="high")
        self.failed = self._job(
            harbour, "mail.send", {**_mail(20), "to": "orders@busy.example"},
            priority="high", labels={"order": "1234", "shop": "web"},
        )  # fmt: skip
        self._wait_until_all_ended()
        self._age(list(Job.objects.order_by("pk")), 3, 93)

    def _wait_until_all_ended(self) -> None:
        wait_for(
            lambda: not Job.objects.active().filter(run_at=None).exists(),
            seconds=120, what="all ended",
        )  # fmt: skip

    def _age(self, jobs: list[Job], newest: float, oldest: float) -> None:
        """By so many minutes, evenly, in the order given."""
        with connection.cursor() as cursor:
            for number, job in enumerate(jobs, start=1):
                minutes = oldest - (oldest - newest) * number / len(jobs)
                moved: dict[str, Any] = {"back": timedelta(minutes=minutes), "job": job.pk}
                cursor.execute(_AGE_JOB, moved)
                cursor.execute(_AGE_ATTEMPTS, moved)

    def _present_jobs(self) -> None:
        """What shall wait comes first, and becomes ready when all slots are taken."""
        ready = datetime.now(UTC) + timedelta(seconds=25)
        waiting = [
            self._job(
                self.tenants[number % 3], "images.resize", _image(50 + number),
                priority="low", run_at=ready,
            )
            for number in range(19)
        ]  # fmt: skip
        waiting.append(self._report("vat-q4", 2, pages=600, from_page=1, run_at=ready))
        recent = self._recent_jobs()
        running = self._running_jobs()
        self._newest_jobs()
        wait_for(
            lambda: not Job.objects.filter(status=Status.SCHEDULED, run_at=ready).exists(),
            seconds=90, what="the others wait",
        )  # fmt: skip
        self._age([*waiting, *recent, *running], 0.3, 4)

    def _recent_jobs(self) -> list[Job]:
        harbour, orchard, bakery = self.tenants
        recent = [self._job(harbour, "invoices.charge", _invoice(31), priority="high")]
        recent += [self._job(bakery, "images.resize", _image(70 + number)) for number in range(3)]
        recent += [self._job(orchard, "invoices.charge", {**_invoice(32), "card_token": DECLINED})]
        recent += [self._job(harbour, "mail.send", _mail(60 + number)) for number in range(2)]
        self._wait_until_all_ended()
        return recent

    def _running_jobs(self) -> list[Job]:
        """As many as there are slots."""
        harbour, orchard, bakery = self.tenants
        running = [
            self._report("stock", 0, pages=900, from_page=140),
            self._import(bakery, "Mill & Co", rows=18_400, from_row=3_100),
            self._report("vat-q3", 2, pages=620, from_page=520),
            self._import(harbour, "Nordic Paper", rows=52_000, from_row=21_800),
            self._report("turnover-2026", 1, pages=480, from_page=310),
            self._import(orchard, "Glass and Crates", rows=30_000, from_row=26_500),
        ]
        for job in running:
            self.arena.wait_for_status(job.pk, Status.PROCESSING, seconds=60)
        self.running = running[4]
        return running

    def _newest_jobs(self) -> None:
        harbour, orchard, bakery = self.tenants
        self._job(orchard, "mail.send", _mail(41), depends_on=[DependsOn(job_id=self.running.pk)])
        mails = [
            self._job(harbour, "mail.send", _mail(80 + one), priority="high") for one in (1, 2)
        ]
        cancelled = self._job(bakery, "images.resize", _image(90))
        operations.cancel(cancelled, Actor(name="user:edsger"))
        evening = datetime.now(UTC) + timedelta(hours=6)
        self._job(orchard, "invoices.charge", _invoice(40), run_at=evening)
        operations.boost(mails[0], Actor(name=_BY), amount=15)

    def _report(self, report: str, of: int, *, pages: int, from_page: int, **options: Any) -> Job:
        payload = {"report": report, "pages": pages, "from_page": from_page}
        options = {"labels": {"report": report}, **options}
        return self._job(self.tenants[of], "reports.render", payload, **options)

    def _import(self, tenant: Tenant, supplier: str, *, rows: int, from_row: int) -> Job:
        payload = {"supplier": supplier, "rows": rows, "from_row": from_row}
        return self._job(tenant, "catalogue.import", payload)

    def _job(self, tenant: Tenant, type_name: str, payload: dict[str, Any], **options: Any) -> Job:
        options = {"priority": "normal", "created_by": "token:web shop", **options}
        return enqueue(tenant, type_name, payload, JobOptions(**options)).job


# Raw SQL: the model's moments are set by the database alone.
_AGE_JOB = """
    UPDATE jobs_job SET created_at = created_at - %(back)s, started_at = started_at - %(back)s,
           completed_at = completed_at - %(back)s, updated_at = updated_at - %(back)s
     WHERE id = %(job)s
"""
_AGE_ATTEMPTS = """
    UPDATE jobs_attempt SET started_at = started_at - %(back)s, ended_at = ended_at - %(back)s
     WHERE job_id = %(job)s
"""


def _text() -> str:
    return (ROOT / NOTES).read_text("utf-8")


def _mail(number: int) -> dict[str, Any]:
    return {"to": f"customer-{number}@example.com", "template": "order-shipped"}


def _image(number: int) -> dict[str, Any]:
    return {"image": f"articles/{4100 + number}.jpg", "widths": [320, 640, 1280]}


def _invoice(number: int) -> dict[str, Any]:
    return {"invoice": f"2026-{number:05}", "amount": "42.50", "card_token": "tok_visa"}

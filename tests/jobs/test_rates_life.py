"""Any life of many jobs under a rate: no window ever holds more starts than it allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Tenant
from jobs import lifecycle
from jobs.dispatcher.rates import Rates
from jobs.message import FencedJob
from jobs.models import Job
from jobs.states import Status
from tests.jobs import making
from tests.jobs.rated import (
    MOST,
    SECONDS,
    clock,
    completed,
    forced,
    pass_time,
    retried,
    send,
    snoozed,
    spent,
)

EVENTS = (
    "tick", "claim", "claim", "withdraw", "cancel", "complete", "retry", "snooze", "force",
    "delete", "take over",
)  # fmt: skip
events = st.lists(
    st.tuples(st.sampled_from(EVENTS), st.integers(0, 99)) | st.integers(1, SECONDS - 1),
    max_size=40,
)


class Life:
    """Jobs under a rate, and every moment at which one was started, as the worker was told it."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._rates = Rates()
        self._sent: list[FencedJob] = []
        self._held: list[FencedJob] = []
        self._gone: list[UUID] = []  # ended
        self.started: list[datetime] = []

    def happen(self, name: str, which: int) -> None:
        getattr(self, f"_{name.replace(' ', '_')}")(which)

    def pass_time(self, seconds: int) -> None:
        """The leader that remembers moments would be wrong afterwards; so another one leads."""
        pass_time(seconds)
        self.started = [moment - timedelta(seconds=seconds) for moment in self.started]
        self._rates = Rates()

    def _tick(self, _: int) -> None:
        """Send as many as the rate has room for, as `Ledger` counts it."""
        room = MOST - spent(self._rates)
        assert room >= 0
        if room:
            Job.objects.filter(status=Status.SCHEDULED).update(visible_at=clock())
            lifecycle.promote(100)
            missing = room - Job.objects.ready().count()
            for _ in range(missing):
                making.queued(self._tenant)
            ready = Job.objects.ready().filter(lease_expires_at=None).order_by("seq")[:room]
            self._sent += send(self._rates, *ready)
        assert spent(Rates()) == spent(self._rates), "a successor would count otherwise"

    def _take_over(self, _: int) -> None:
        self._rates = Rates()

    def _claim(self, which: int) -> None:
        if message := _one_of(self._sent, which):
            claimed = making.take(message)
            if claimed:
                self.started.append(claimed.started_at)
                self._held.append(claimed.held)

    def _withdraw(self, which: int) -> None:
        if message := _one_of(self._sent, which):
            lifecycle.withdraw([message])

    def _cancel(self, which: int) -> None:
        if message := _one_of(self._sent, which):
            lifecycle.cancel(message.id, by="a test")
            self._gone.append(message.id)

    def _end(self, which: int, end: Callable[[FencedJob], Any]) -> UUID | None:
        if held := _one_of(self._held, which):
            end(held)
            return held.id
        return None

    def _complete(self, which: int) -> None:
        if ended := self._end(which, completed):
            self._gone.append(ended)

    def _retry(self, which: int) -> None:
        self._end(which, retried)

    def _snooze(self, which: int) -> None:
        self._end(which, snoozed)

    def _force(self, which: int) -> None:
        if taken := self._end(which, forced):
            Job.objects.filter(pk=taken).update(lease_expires_at=None)

    def _delete(self, which: int) -> None:
        if self._gone:
            Job.objects.filter(pk=self._gone.pop(which % len(self._gone))).delete()


def _one_of(some: list[FencedJob], which: int) -> FencedJob | None:
    return some.pop(which % len(some)) if some else None


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def most_in_a_window(started: list[datetime]) -> int:
    length = timedelta(seconds=SECONDS)
    return max(
        (sum(end - length < other <= end for other in started) for end in started), default=0
    )


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(life=events)
def test_no_window_ever_holds_more_starts_than_the_rate_whatever_happens(
    tenant: Tenant, life: list[tuple[str, int] | int]
) -> None:
    with undone():
        jobs = Life(tenant)
        for event in [("tick", 0), *life, ("tick", 0)]:
            if isinstance(event, int):
                jobs.pass_time(event)
            else:
                jobs.happen(*event)

        assert most_in_a_window(jobs.started) <= MOST

"""A job whose code writes its secrets down: nobody can read them there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from accounts.models import Tenant
from jobs import JobContext, Secret, job_type
from jobs.enqueue import enqueue
from jobs.models import Job, LogLine
from jobs.testing.execution import InlineExecution
from jobs.worker.execution import Execution
from jobs.worker.identity import WorkerIdentity
from tests.jobs import making
from tests.jobs.test_secret import Key

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("declaring")]

GIVEN = {"headers": {"auth": "Bearer one"}, "key": {"name": "k", "text": "two-2"}, "pin": 34567}
SHOWN = "{'auth': '***'} *** of k, ***"


class AsInAWorker(InlineExecution):
    """Inline, but for the progress: it goes the worker's way."""

    _context = Execution._context


def written(headers: Secret[dict[str, str]], key: Key, pin: Secret[int]) -> str:
    return f"{headers.reveal()} {key.text.reveal()} of {key.name}, {pin.reveal()}"


@pytest.mark.parametrize("kind", [InlineExecution, AsInAWorker])
def test_secrets_of_every_shape_are_hidden_in_progress_lines_and_errors(
    kind: type[InlineExecution], tenant: Tenant
) -> None:
    progress: list[str] = []

    @job_type("words.tell", max_retries=0)
    def tell(
        context: JobContext, *, headers: Secret[dict[str, str]], key: Key, pin: Secret[int]
    ) -> None:
        said = written(headers, key, pin)
        context.log(said)
        context.progress(50, said)
        progress.append(Job.objects.get(pk=context.job_id).progress_message)
        raise ValueError(said)

    job = enqueue(tenant, "words.tell", GIVEN).job
    kind(WorkerIdentity(name="w@test", lease_seconds=30)).run(making.send(job))

    error = making.fresh(job).error
    assert error is not None
    assert progress == [SHOWN]
    assert [line.message for line in LogLine.objects.filter(job=job)] == [SHOWN]
    assert error["message"] == SHOWN
    assert f"ValueError: {SHOWN}" in error["traceback"]
    assert not any(secret in str(error) for secret in ("Bearer", "two-2", "34567"))


@pytest.mark.parametrize("raised", [ValueError, LookupError])
def test_they_are_hidden_where_a_result_fails_that_is_made_late(
    raised: type[Exception], tenant: Tenant
) -> None:
    @job_type("words.late", max_retries=0)
    def late(context: JobContext, *, token: Secret[str]) -> Iterator[int]:
        yield 1
        raise raised(token.reveal())

    job = enqueue(tenant, "words.late", {"token": "three-3"}).job
    InlineExecution(WorkerIdentity(name="w@test", lease_seconds=30)).run(making.send(job))

    failed = making.fresh(job)
    assert failed.status == "failed"
    assert raised.__name__ in str(failed.error)
    assert "three-3" not in str(failed.error)

"""Files are removed in time with everything they left, and never from under a job."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import pytest
from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.db.models.functions import Now
from pytest_django import Settings

from accounts.models import Tenant
from config.celery import app
from jobs import InputFile, JobContext, JobType, job_type, registry
from jobs.dispatcher.loop import Dispatcher
from jobs.exceptions import InvalidPayload
from jobs.files import sweeping
from jobs.files.storage import storage
from jobs.files.sweeping import Orphans, remove_unneeded, sweep_expired
from jobs.models import FileUse, Job, StoredFile
from tests.jobs import making
from tests.jobs.racing import meanwhile
from tests.support.files import storage_at, stored, stored_paths
from tests.support.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
DAY = 86_400


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, settings: Settings) -> Path:
    return storage_at(tmp_path / "files", settings)


@pytest.fixture
def reading() -> Iterator[JobType[..., Any]]:
    @job_type("filed.keep")
    def keep(context: JobContext, *, document: InputFile) -> None: ...

    yield cast("JobType[..., Any]", keep)
    registry.forget("filed.keep")


def expire(*files: StoredFile) -> None:
    StoredFile.objects.filter(pk__in=[file.pk for file in files]).update(expires_at=Now())


@pytest.mark.parametrize("situation", making.SITUATIONS)
def test_an_expired_file_is_kept_until_its_job_has_ended(
    situation: str, tenant: Tenant, directory: Path
) -> None:
    file, unused, fresh = stored(tenant), stored(tenant), stored(tenant)
    job = making.in_situation(tenant, situation)
    FileUse.objects.create(job=job, file=file)
    expire(file, unused)

    removed = sweep_expired()

    assert removed == (2 if job.is_final else 1)
    left = set(StoredFile.objects.values_list("pk", flat=True))
    assert left == ({fresh.pk} if job.is_final else {fresh.pk, file.pk})
    assert len(stored_paths(directory)) == len(left)
    assert Job.objects.filter(pk=job.pk).exists()
    assert sweep_expired() == 0


def test_files_that_are_still_needed_do_not_hold_up_the_others(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "BATCH", 2)
    job, files = making.queued(tenant), [stored(tenant) for _ in range(6)]
    FileUse.objects.bulk_create(FileUse(job=job, file=file) for file in files[:3])
    expire(*files)

    assert [sweep_expired() for _ in range(3)] == [2, 1, 0]


def test_a_file_is_kept_for_a_job_that_is_just_being_handed_in(
    tenant: Tenant, directory: Path, reading: JobType[..., Any]
) -> None:
    file = stored(tenant)
    with meanwhile(lambda: reading.enqueue(tenant=tenant, document=file)):
        expire(file)
        assert sweep_expired() == 0
    assert sweep_expired() == 0
    assert remove_unneeded([file.pk]) == []  # as one that had asked for the lock before
    assert len(stored_paths(directory)) == 1
    making.complete(Job.objects.get())
    assert sweep_expired() == 1


def test_a_job_that_names_a_file_while_it_is_removed_is_refused(
    tenant: Tenant, reading: JobType[..., Any]
) -> None:
    file = stored(tenant)

    def remove() -> None:
        StoredFile.objects.select_for_update().get(pk=file.pk)
        assert remove_unneeded([file.pk])

    def hand_in() -> None:
        try:
            reading.enqueue(tenant=tenant, document=file)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with meanwhile(remove):
            handing_in = pool.submit(hand_in)
            wait_for(_somebody_waits_for_a_lock, seconds=30, what="the job waits for the file")
        with pytest.raises(InvalidPayload, match="/document: no such file"):
            handing_in.result(timeout=30)
    assert not Job.objects.exists()


def _somebody_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
            " AND wait_event_type = 'Lock' AND query LIKE '%FOR KEY SHARE%')"
        )
        return bool(cursor.fetchone()[0])


def test_jobs_name_the_same_file_at_once_without_waiting(
    tenant: Tenant, reading: JobType[..., Any]
) -> None:
    file = stored(tenant)
    with meanwhile(lambda: reading.enqueue(tenant=tenant, document=file)), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '5s'")
        reading.enqueue(tenant=tenant, document=file)
    assert FileUse.objects.filter(file=file).count() == 2


def test_a_process_that_died_between_row_and_bytes_leaves_nothing_for_long(
    tenant: Tenant, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, removed = stored(tenant), stored(tenant)
    expire(removed)
    with monkeypatch.context() as patched:
        patched.setattr(sweeping, "remove_bytes", lambda names: None)
        assert sweep_expired() == 1
    _age(directory)
    young = storage().save("00/young", ContentFile(b"being handed in"))
    assert len(stored_paths(directory)) == 3

    orphans = Orphans(first=200)
    assert sum(orphans.run() for _ in range(sweeping.SHARDS)) == 1

    names = {str(path.relative_to(directory)) for path in stored_paths(directory)}
    assert names == {kept.storage_name, young}
    assert sum(orphans.run() for _ in range(sweeping.SHARDS)) == 0


def _age(directory: Path) -> None:
    for path in stored_paths(directory):
        os.utime(path, (time.time() - DAY, time.time() - DAY))


def test_bytes_that_cannot_be_removed_now_are_left_for_later(
    tenant: Tenant, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [stored(tenant) for _ in range(2)]
    expire(*files)

    def refuse(name: str) -> None:
        raise PermissionError(name)

    with monkeypatch.context() as patched:
        patched.setattr(storage(), "delete", refuse)
        assert sweep_expired() == 2
    _age(directory)
    orphans = Orphans()
    assert sum(orphans.run() for _ in range(sweeping.SHARDS)) == 2


def test_a_storage_in_which_nothing_lies_yet_has_no_orphans(db: None) -> None:
    assert Orphans().run() == 0


def test_the_leading_dispatcher_removes_what_has_expired(tenant: Tenant, directory: Path) -> None:
    expire(stored(tenant))
    dispatcher = Dispatcher(app, holder="here")
    running = threading.Thread(target=dispatcher.run)
    running.start()
    try:
        wait_for(lambda: not stored_paths(directory), seconds=30, what="the file is removed")
    finally:
        dispatcher.stop()
        running.join(timeout=30)
    assert not StoredFile.objects.exists()

"""A storage that never answers, and interruptions at the worst moment: no job waits for it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config  # type: ignore[import-untyped]  # it has none
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Tenant
from config.celery import app
from config.storages import storages
from jobs.control import ShuttingDown, Terminated, TimedOut
from jobs.dispatcher import loop, upkeep
from jobs.dispatcher.loop import Dispatcher
from jobs.files import s3
from jobs.files.shelf import ARTIFACTS, FILES, Shelf
from jobs.files.storage import storage
from jobs.files.storing import bytes_kept, incoming, keep
from jobs.models import Artifact, StoredFile
from tests.jobs import making
from tests.support.artifacts import hand_over
from tests.support.files import storage_at, stored, stored_paths
from tests.support.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def directories(tmp_path: Path, settings: Settings) -> dict[str, Path]:
    aliases = ("files", "artifacts")
    return {alias: storage_at(tmp_path / alias, settings, alias) for alias in aliases}


class Hanging:
    """A call that never returns, until the test ends."""

    def __init__(self) -> None:
        self.is_called, self.is_over = threading.Event(), threading.Event()

    def __call__(self, *_: object) -> None:
        self.is_called.set()
        self.is_over.wait(120)
        raise OSError


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    call = Hanging()
    yield call
    call.is_over.set()
    for thread in threading.enumerate():
        if thread.name == "removals":
            thread.join(timeout=30)


@pytest.mark.parametrize("method", ["listdir", "delete"])
def test_jobs_are_rescued_while_a_storage_never_answers(
    method: str,
    tenant: Tenant,
    hanging: Hanging,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
) -> None:
    settings.LEASE_SECONDS = 3
    monkeypatch.setattr(loop, "UPKEEP_SECONDS", 0.1)
    monkeypatch.setattr(upkeep, "_server_age_seconds", lambda: 86_400.0)
    monkeypatch.setattr(loop, "STOP_SECONDS", 0.5)
    monkeypatch.setattr(storage(), method, hanging)
    expired = stored(tenant)
    StoredFile.objects.filter(pk=expired.pk).update(expires_at=timezone.now())
    dispatcher = Dispatcher(app, holder="here")
    running = threading.Thread(target=dispatcher.run, daemon=True)
    running.start()
    try:
        wait_for(hanging.is_called.is_set, seconds=30, what="the storage is asked")
        dead = making.in_situation(tenant, "processing")
        making.let_pass(dead, "lease_expires_at")
        wait_for(
            lambda: making.fresh(dead).status != "processing", seconds=30, what="it is rescued"
        )
    finally:
        dispatcher.stop()
        running.join(timeout=30)
    assert not running.is_alive()


@pytest.mark.parametrize("end", [TimedOut, Terminated, ShuttingDown, KeyboardInterrupt])
def test_an_interruption_after_the_commit_leaves_the_row_its_bytes(
    end: type[BaseException], tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = making.start(making.queued(tenant))
    hand_over(held, "page.html", b"former")

    def interrupted(self: Shelf, names: object) -> None:
        raise end

    calls = iter([interrupted, Shelf.remove])
    monkeypatch.setattr(Shelf, "remove", lambda *given: next(calls)(*given))
    with pytest.raises(end):  # while the bytes of the former one are removed
        hand_over(held, "page.html", b"made")

    row = Artifact.objects.get()
    with ARTIFACTS.storage.open(row.storage_name) as file:
        assert file.read() == b"made"


def test_an_interruption_after_the_commit_leaves_a_file_its_bytes(
    tenant: Tenant, directories: dict[str, Path]
) -> None:
    def interrupted() -> None:
        raise TimedOut

    file = incoming(ContentFile(b"text"), name="a.txt", content_type="")

    def store_it() -> None:
        with bytes_kept(file) as kept, transaction.atomic():
            transaction.on_commit(interrupted)
            keep(file, kept, tenant=tenant, owner="", created_by="")

    with pytest.raises(TimedOut):
        store_it()
    assert StoredFile.objects.count() == len(stored_paths(directories["files"])) == 1


def test_a_failure_before_the_row_leaves_no_bytes(
    tenant: Tenant, directories: dict[str, Path]
) -> None:
    for end in (TimedOut, ValueError):
        with pytest.raises(end), FILES.holding(ContentFile(b"x")), transaction.atomic():
            raise end
    assert stored_paths(directories["files"]) == []


def test_the_first_time_out_ends_a_removal_and_another_failure_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def failing(error: OSError) -> Any:
        def delete(name: str) -> None:
            asked.append(name)
            raise error

        return delete

    for error, expected in ((TimeoutError(), 1), (PermissionError(), 3)):
        asked.clear()
        monkeypatch.setattr(storage(), "delete", failing(error))
        FILES.remove(["00/a", "00/b", "00/c"])
        assert len(asked) == expected


@pytest.mark.parametrize(
    ("error", "singly"), [(TimeoutError(), 0), (OSError(), 0), (NotImplementedError(), 2)]
)
def test_bytes_go_one_at_a_time_only_where_they_cannot_go_together(
    error: Exception, singly: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def together(names: list[str]) -> None:
        raise error

    monkeypatch.setattr(storage(), "delete_many", together, raising=False)
    monkeypatch.setattr(storage(), "delete", asked.append)
    FILES.remove(["00/a", "00/b"])
    assert len(asked) == singly


@pytest.fixture
def deaf(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """An object storage that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        host, port = listening.getsockname()
        brief = s3._BRIEF.merge(Config(read_timeout=0.1))
        monkeypatch.setattr(s3, "_BRIEF", brief)
        settings.STORAGES = storages(
            files="", artifacts="", bucket="kept", link_seconds=60, prefix="",
            endpoint_url=f"http://{host}:{port}", access_key="a", secret_key="b",
            region="eu-west-1",
        )  # fmt: skip
        yield listening


def test_an_object_storage_that_never_answers_is_asked_twice_and_left(
    deaf: socket.socket,
) -> None:
    with pytest.raises(TimeoutError, match="object storage"):
        FILES.names_before("00", timezone.now())
    assert _connections(deaf) == 2

    FILES.remove([f"00/{number}" for number in range(50)])
    assert _connections(deaf) == 2
    FILES.remove(["00/one"])
    assert _connections(deaf) == 2


def _connections(listening: socket.socket) -> int:
    """How many came since this was asked last."""
    listening.settimeout(0)
    number = 0
    while True:
        try:
            listening.accept()[0].close()
        except BlockingIOError:
            return number
        number += 1

"""Files, artifacts and large results in a bucket, by a server that speaks S3."""

from __future__ import annotations

import io
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from email.message import Message
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3  # type: ignore[import-untyped]  # it has none
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone
from moto.server import ThreadedMotoServer
from pytest_django import Settings

from accounts.models import Tenant
from config import storages
from jobs import InputFile
from jobs.api.left import result_url
from jobs.artifacts import links, results
from jobs.artifacts.reading import left_by
from jobs.exceptions import ArtifactRefused, FileGone
from jobs.files import sweeping
from jobs.files.shelf import ARTIFACTS, FILES
from jobs.files.sweeping import Orphans
from jobs.retention.round import run_to_the_end
from tests.jobs import making
from tests.jobs.aged import age
from tests.support.artifacts import complete_stored, hand_over
from tests.support.files import stored

pytestmark = pytest.mark.django_db(transaction=True)

BUCKET = "kept"
WHO = {"access_key": "someone", "secret_key": "something long", "region": "eu-west-1"}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint: str, settings: Settings) -> Iterator[Any]:
    """An empty one, in which files and artifacts lie."""
    settings.STORAGES = storages.storages(
        files="", artifacts="", bucket=BUCKET, link_seconds=600, endpoint_url=endpoint,
        prefix="here/", **WHO,
    )  # fmt: skip
    made = boto3.resource(
        "s3", endpoint_url=endpoint, aws_access_key_id="someone", aws_secret_access_key="x",
        region_name="eu-west-1",
    ).Bucket(BUCKET)  # fmt: skip
    made.create(CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    yield made
    made.objects.all().delete()
    made.delete()


def keys(bucket: Any) -> list[str]:
    return sorted(one.key for one in bucket.objects.all())


def fetched(url: str) -> tuple[bytes, Message]:
    with urllib.request.urlopen(url) as answer:
        return answer.read(), answer.headers


def test_files_and_artifacts_lie_in_one_bucket_below_a_prefix(bucket: Any, tenant: Tenant) -> None:
    file = stored(tenant, b"handed in")
    row = hand_over(making.start(making.queued(tenant)), "page.html", io.BytesIO(b"made"))

    assert keys(bucket) == sorted(
        [f"here/files/{file.storage_name}", f"here/artifacts/{row.storage_name}"]
    )
    with InputFile(file.pk).open() as opened:
        assert (opened.read(4), opened.read()) == (b"hand", b"ed in")
    assert bucket.Object(f"here/artifacts/{row.storage_name}").get()["Body"].read() == b"made"


def test_head_of_what_lies_in_a_bucket_is_answered_from_the_row(
    bucket: Any, tenant: Tenant
) -> None:
    row = hand_over(making.start(making.queued(tenant)), "page.html", b"<h1>made</h1>")
    url = urlsplit(links.address(row.pk, tenant.pk))
    answer = Client().head(f"{url.path}?{url.query}")
    assert (answer.status_code, answer["Content-Length"]) == (200, "13")


def test_a_link_leads_to_a_signed_address_in_the_bucket_for_the_rest_of_its_time(
    bucket: Any, tenant: Tenant, settings: Settings
) -> None:
    settings.LINK_SECONDS = 300
    row = hand_over(making.start(making.queued(tenant)), "pag\u00e9.html", b"<h1>made</h1>")
    url = urlsplit(links.address(row.pk, tenant.pk))

    answer = Client().get(f"{url.path}?{url.query}")

    assert answer.status_code == 302
    body, headers = fetched(answer["Location"])
    assert body == b"<h1>made</h1>"
    assert headers["Content-Disposition"] == "attachment; filename*=utf-8''pag%C3%A9.html"
    assert headers["Content-Type"].startswith("text/html")
    seconds = int(parse_qs(urlsplit(answer["Location"]).query)["X-Amz-Expires"][0])
    assert 1 <= seconds <= 300  # of the link, not of the signed address
    assert "X-Amz-Signature=" in answer["Location"]
    assert "something" not in answer["Location"]


def test_a_large_result_goes_there_and_comes_back(bucket: Any, tenant: Tenant) -> None:
    job = making.queued(tenant)
    row = complete_stored(making.start(job), b'{"large": true}')
    job = making.fresh(job)

    assert result_url(job, left_by([job])[job.pk]) is not None
    assert results.read(row.storage_name) == {"large": True}


def test_bytes_go_with_their_jobs_in_few_requests(bucket: Any, tenant: Tenant) -> None:
    for _ in range(3):
        job = making.queued(tenant)
        held = making.start(job)
        hand_over(held)
        complete_stored(held)
        age(job, days=31)
    file = stored(tenant)

    run_to_the_end()
    assert keys(bucket) == [f"here/files/{file.storage_name}"]


def test_what_no_row_names_is_removed_after_a_while_on_either_shelf(
    bucket: Any, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = stored(tenant)
    row = hand_over(making.start(making.queued(tenant)))
    for shelf in (FILES, ARTIFACTS):
        shelf.storage.save("07/orphan", ContentFile(b"nobody's"))
    assert _swept() == 0  # they are young

    monkeypatch.setattr(sweeping, "ORPHANED_AFTER", timedelta(hours=-1))
    assert _swept() == 2
    assert keys(bucket) == sorted(
        [f"here/files/{file.storage_name}", f"here/artifacts/{row.storage_name}"]
    )


def _swept() -> int:
    places = [Orphans(shelf) for shelf in (FILES, ARTIFACTS)]
    return sum(place.run() for place in places for _ in range(sweeping.SHARDS))


def test_what_is_missing_there_is_missing_as_on_a_disk(bucket: Any, tenant: Tenant) -> None:
    file = stored(tenant)
    FILES.remove([file.storage_name])
    FILES.remove(["00/one", "00/two"])
    with pytest.raises(FileGone):
        InputFile(file.pk).open()
    with pytest.raises(FileNotFoundError):
        results.read("00/nothing")
    assert ARTIFACTS.names_before("00", timezone.now()) == []


def test_a_bucket_that_does_not_take_it_fails_as_a_disk_and_names_nothing(
    bucket: Any, tenant: Tenant, settings: Settings, endpoint: str
) -> None:
    settings.STORAGES = storages.storages(
        files="", artifacts="", bucket="secretname", link_seconds=60, endpoint_url=endpoint,
        prefix="", **WHO,
    )  # fmt: skip
    held = making.start(making.queued(tenant))
    for fails in (
        lambda: hand_over(held),
        lambda: results.write(b"{}"),
        lambda: ARTIFACTS.names_before("00", timezone.now()),
    ):
        with pytest.raises(OSError, match="object storage") as told:
            fails()
        assert "secretname" not in str(told.value)
        assert not isinstance(told.value, ArtifactRefused)


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storages, "find_spec", lambda name: None)
    with pytest.raises(ImproperlyConfigured, match=r"requirements/s3\.txt"):
        storages.storages(
            files="", artifacts="", bucket=BUCKET, link_seconds=60, endpoint_url="", prefix="",
            **WHO,
        )  # fmt: skip

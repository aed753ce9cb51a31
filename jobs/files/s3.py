"""The storages `files` and `artifacts` in a bucket of S3, or of what speaks like it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from typing import Any

# None of these libraries has types.
from boto3.exceptions import Boto3Error  # type: ignore[import-untyped]
from boto3.s3.transfer import TransferConfig  # type: ignore[import-untyped]
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.exceptions import (  # type: ignore[import-untyped]
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
)
from django.core.files.base import File
from django.utils.http import content_disposition_header
from storages.backends.s3 import S3Storage  # type: ignore[import-untyped]

logger = logging.getLogger(__name__)

IN_MEMORY = 256 * 1024  # of an object that is read; the rest of it waits on disk
AT_ONCE = 1000  # keys that one request may remove
_CLIENT = Config(
    signature_version="s3v4",
    connect_timeout=5,
    read_timeout=30,
    retries={"max_attempts": 3, "mode": "standard"},
    # Others than AWS need not know the newer checksums.
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)
# Removing and listing can come again another time; nobody is to wait for them.
_BRIEF = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"total_max_attempts": 2, "mode": "standard"},
)
_UNKNOWN_REQUEST = frozenset({400, 405, 501})
_BY_PATH = Config(s3={"addressing_style": "path"})  # elsewhere a bucket is seldom a host name


class PrivateS3Storage(S3Storage):  # type: ignore[misc]
    """What fails here fails as on a disk, with an OSError that names no bucket and no host.

    Nobody reads an object but with our key, or by a link that was signed with it.
    """

    def __init__(self, *, config: Config = _CLIENT, **options: Any) -> None:
        self._given = options
        elsewhere = options.get("endpoint_url")
        super().__init__(
            **options,
            client_config=config.merge(_BY_PATH) if elsewhere else config,
            transfer_config=TransferConfig(use_threads=False),
            max_memory_size=IN_MEMORY,
            default_acl=None,
            file_overwrite=True,  # names are made once; looking whether one is free is a request
        )

    @cached_property
    def _in_brief(self) -> PrivateS3Storage:
        return PrivateS3Storage(config=_CLIENT.merge(_BRIEF), **self._given)

    @property
    def _brief_client(self) -> Any:
        return self._in_brief.connection.meta.client  # each thread has one

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        with _as_of_a_disk():
            opened: File[bytes] = super()._open(name, mode)
            _ = opened.file  # fetches it now; by itself it would at the first reading
            return opened

    def _save(self, name: str, content: File[bytes]) -> str:
        with _as_of_a_disk():
            saved: str = super()._save(name, content)
            return saved

    def delete(self, name: str) -> None:
        with _as_of_a_disk():
            self._brief_client.delete_object(
                Bucket=self.bucket_name, Key=self._normalize_name(name)
            )

    def delete_many(self, names: Sequence[str]) -> None:
        """Remove them in few requests; NotImplementedError where none takes several."""
        for start in range(0, len(names), AT_ONCE):
            keys = [{"Key": self._normalize_name(name)} for name in names[start : start + AT_ONCE]]
            with _as_of_a_disk(), _unknown_requests_told():
                answer = self._brief_client.delete_objects(
                    Bucket=self.bucket_name, Delete={"Objects": keys, "Quiet": True}
                )
            for refused in answer.get("Errors", ()):
                logger.error("an object stays for now: %s (%s)", refused["Key"], refused["Code"])

    def names_before(self, directory: str, moment: datetime) -> list[str]:
        """What lies in the directory and was written before then; no request for each."""
        prefix = f"{self._normalize_name(directory)}/"
        pages = self._brief_client.get_paginator("list_objects_v2")
        with _as_of_a_disk():
            return [
                f"{directory}/{one['Key'].removeprefix(prefix)}"
                for page in pages.paginate(Bucket=self.bucket_name, Prefix=prefix)
                for one in page.get("Contents", ())
                if one["LastModified"] < moment
            ]

    def signed_url(
        self, name: str, *, file_name: str, content_type: str, seconds: int | None = None
    ) -> str:
        """Where anybody may fetch it, as a file to be saved, for so long or LINK_SECONDS."""
        answer = {
            "ResponseContentDisposition": content_disposition_header(True, file_name),
            "ResponseContentType": content_type,
            "ResponseCacheControl": "private, no-store",
        }
        url: str = self.url(name, parameters=answer, expire=seconds)
        return url


@contextmanager
def _as_of_a_disk() -> Iterator[None]:
    try:
        yield
    except (HTTPClientError, ConnectionError) as error:
        text = f"the object storage does not answer: {type(error).__name__}"
        raise TimeoutError(text) from error
    except (BotoCoreError, Boto3Error, ClientError) as error:
        raise OSError(f"the object storage failed: {type(error).__name__}") from error


@contextmanager
def _unknown_requests_told() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") in _UNKNOWN_REQUEST:
            raise NotImplementedError(error.response["Error"]["Code"]) from error
        raise

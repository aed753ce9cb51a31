"""Where bytes lie: directories of this machine, or one bucket of an S3-compatible storage."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from django.core.exceptions import ImproperlyConfigured


def storages(
    *, files: str, artifacts: str, bucket: str, link_seconds: int, **s3: str
) -> dict[str, dict[str, Any]]:
    """Django's STORAGES. `files` and `artifacts` are directories; a `bucket` takes their place."""
    own = {"files": _directory(files), "artifacts": _directory(artifacts)}
    if bucket:
        own = {name: _in_bucket(name, bucket, link_seconds, **s3) for name in own}
    return {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
        **own,
    }


def _directory(location: str) -> dict[str, Any]:
    return {
        "BACKEND": "jobs.files.storage.DurableFileSystemStorage",
        "OPTIONS": {
            "location": location,
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    }


def _in_bucket(
    name: str,
    bucket: str,
    link_seconds: int,
    *,
    endpoint_url: str,
    access_key: str,
    secret_key: str,
    region: str,
    prefix: str,
) -> dict[str, Any]:
    """What is left empty is found as the AWS tools find it, a machine's role for one."""
    if not all(map(find_spec, ("storages", "boto3"))):
        raise ImproperlyConfigured(
            "S3_BUCKET is set, and django-storages is not installed: "
            "pip install -r requirements/s3.txt"
        )
    return {
        "BACKEND": "jobs.files.s3.PrivateS3Storage",
        "OPTIONS": {
            "bucket_name": bucket,
            "endpoint_url": endpoint_url or None,
            "access_key": access_key or None,
            "secret_key": secret_key or None,
            "region_name": region or None,
            "location": f"{prefix.strip('/')}/{name}".lstrip("/"),
            "querystring_expire": link_seconds,
        },
    }

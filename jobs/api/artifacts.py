"""GET /artifacts/{id}: the bytes of an artifact or of a large result."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.core.files.base import File
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request

from accounts.access import Access
from accounts.api.metering import Meter, attach
from accounts.api.refusals import FieldRefusal, Unprocessable
from accounts.api.view import ApiView
from accounts.models import Tenant
from accounts.rate_limits.rates import CallKind
from accounts.rate_limits.windows import windows_of_tenant
from accounts.scopes import Scope
from jobs.api.reach import as_id
from jobs.api.uploading import storage_refusal
from jobs.artifacts import links
from jobs.artifacts.download import OFFER, Offer, Part
from jobs.artifacts.ranges import Span, Unsatisfiable, span_of
from jobs.files.shelf import ARTIFACTS
from jobs.models import Artifact, Job
from jobs.models.artifact import ArtifactKind
from jobs.retention import is_over
from jobs.states import Status

_LINK = OpenApiParameter(
    links.PARAMETER, str,
    description="As it stands in a `url` or `result_url`; then no token is needed.",
)  # fmt: skip
_RANGE = OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="`bytes=FIRST-LAST`")
_ANSWERS = {
    (200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY, "The bytes."),
    (206, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY, "The part asked for."),
    302: OpenApiResponse(description="Where they are, for a few minutes: in an object storage."),
    416: OpenApiResponse(description="The file has no such part."),
}
_REFUSED = "The link is wrong, or its time is over. Ask for the job again: it has a new one."


class ArtifactView(ApiView):
    """With a link, whoever has it; without one, who may read the job.

    A good link counts for the tenant whose artifact it is. Any other costs no query.
    """

    scopes = {"GET": Scope.JOBS_READ}
    link: links.Good | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if links.PARAMETER not in request.query_params:
            super().initial(request, *args, **kwargs)
        elif len(request.query_params) > 1:
            raise Unprocessable([FieldRefusal("/link", "is the only query parameter")])
        else:
            self.link = _good(request, kwargs["artifact_id"])
            _count(request, self.link.tenant_id)

    @extend_schema(
        operation_id="get_artifact", tags=["jobs"], summary="A file that a job made",
        parameters=[_LINK, _RANGE], responses=_ANSWERS,
    )  # fmt: skip
    def get(self, request: Request, artifact_id: str) -> HttpResponseBase:
        link = self.link
        artifact = _of(artifact_id, link) if link else _of_access(self.access, artifact_id)
        if artifact.kind == ArtifactKind.RESULT and not _may_be_read(artifact.job):
            raise NotFound
        if request.method == "HEAD":  # all that it asks for is in the row
            return _here(request, artifact)
        return _elsewhere(artifact, link) or _here(request, artifact)


def _of_access(access: Access, artifact_id: str) -> Artifact:
    rows = Artifact.objects.select_related("job").filter(job__in=access.narrow(Job.objects.all()))
    artifact = rows.filter(pk=as_id(artifact_id)).first()
    if artifact is None:
        raise NotFound
    return artifact


def _good(request: Request, artifact_id: str) -> links.Good:
    link = links.opened(request.query_params[links.PARAMETER], as_id(artifact_id))
    if link is None:
        raise PermissionDenied(_REFUSED)
    return link


def _count(request: Request, tenant_id: int) -> None:
    if not settings.RATE_LIMIT_ENABLED:
        return
    tenant = Tenant.objects.filter(pk=tenant_id).first()
    if tenant is None:
        raise NotFound
    windows = windows_of_tenant(tenant, CallKind.OTHER)
    meter = Meter(windows, others=windows)
    attach(meter, request)
    meter.count()


def _of(artifact_id: str, link: links.Good) -> Artifact:
    rows = Artifact.objects.select_related("job").filter(job__tenant=link.tenant_id)
    artifact = rows.filter(pk=as_id(artifact_id)).first()
    if artifact is None:
        raise NotFound
    return artifact


def _may_be_read(job: Job) -> bool:
    return job.status == Status.COMPLETED and not is_over(job)


def _elsewhere(artifact: Artifact, link: links.Good | None) -> HttpResponseBase | None:
    """To the object storage, where the bytes lie in one; not for longer than the link is good."""
    signed = getattr(ARTIFACTS.storage, "signed_url", None)
    if signed is None:
        return None
    url = signed(
        artifact.storage_name,
        file_name=artifact.name,
        content_type=artifact.content_type,
        seconds=max(1, int(link.seconds)) if link else None,
    )
    return HttpResponse(status=302, headers={"Location": url, "Cache-Control": "no-store"})


def _here(request: Request, artifact: Artifact) -> HttpResponseBase:
    headers = _headers(artifact)
    try:
        span = span_of(_range(request, headers["ETag"]), artifact.size)
    except Unsatisfiable:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{artifact.size}"})
    start, size = span or Span(0, artifact.size)
    headers["Content-Length"] = str(size)
    if span:
        headers["Content-Range"] = f"bytes {start}-{start + size - 1}/{artifact.size}"
    return _sent(request, artifact, start, size, status=206 if span else 200, headers=headers)


def _sent(
    request: Request,
    artifact: Artifact,
    start: int,
    size: int,
    *,
    status: int,
    headers: dict[str, str],
) -> HttpResponseBase:
    if request.method == "HEAD":
        return HttpResponse(status=status, headers=headers)
    part = Part(file=_opened(artifact), left=size)
    part.file.seek(start)
    offer = getattr(request._request, "scope", {}).get(OFFER)
    if isinstance(offer, Offer):
        offer.part = part
        return HttpResponse(status=status, headers=headers)
    return StreamingHttpResponse(part, status=status, headers=headers)


def _opened(artifact: Artifact) -> File[bytes]:
    try:
        return cast("File[bytes]", ARTIFACTS.storage.open(artifact.storage_name, "rb"))
    except FileNotFoundError:
        raise NotFound from None
    except OSError as error:
        raise storage_refusal(error) from error


def _range(request: Request, etag: str) -> str | None:
    """Of a file that is still the one whose beginning the client has."""
    if request.method != "GET" or request.headers.get("If-Range", etag) != etag:
        return None
    return request.headers.get("Range")


def _headers(artifact: Artifact) -> dict[str, str]:
    """It is saved and never shown: what a job made may be somebody's web page."""
    return {
        "Content-Type": artifact.content_type,
        "Content-Disposition": str(content_disposition_header(True, artifact.name)),
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
        "Accept-Ranges": "bytes",
        "ETag": f'"{artifact.sha256}"',
    }

"""/try/: the browser client at work, for who is signed in. All that is on it may be copied."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import DEFAULT_TENANT, Tenant
from jobs.admin.looking import choice, tenants_of

# As strict as can be: the proof that the client needs no more.
_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)


@require_safe
@staff_member_required
def try_page(request: HttpRequest) -> HttpResponse:
    """Jobs of one tenant: that of `?tenant=`, else `default`, else the person's first."""
    offered = tenants_of(request)
    tenant = _chosen(offered, request.GET.get("tenant", DEFAULT_TENANT))
    choices = [choice(request, "tenant", one.slug, one.slug, one == tenant) for one in offered]
    # Who has one tenant need not say which.
    context = {"tenant": tenant if len(offered) > 1 else None, "tenants": choices}
    page = render(request, "celeriac/try.html", context)
    page["Content-Security-Policy"] = _POLICY
    return page


def _chosen(offered: Sequence[Tenant], slug: str) -> Tenant | None:
    return next((one for one in offered if one.slug == slug), offered[0] if offered else None)

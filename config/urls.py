"""Every address of the web process."""

from typing import Any

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularJSONAPIView

import config.admin_pages  # before any page of the admin's is imported
import config.api.schema.extensions  # noqa: F401 (they register themselves)
from accounts.admin.own_password import own_password
from accounts.admin.sign_in import sign_in
from config.api.docs import docs
from config.api.pages import unknown_route
from config.health import healthz, readyz
from config.try_page import try_page

_SCHEMA: dict[str, Any] = {"authentication_classes": [], "permission_classes": []}

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("healthz", healthz),
    path("readyz", readyz),
    # In front of those of the third line.
    path("admin/login/", sign_in),
    path("admin/password_change/", own_password),
    path("admin/", admin.site.urls),
    path("try/", try_page, name="try"),
    path("api/v1/", include("accounts.api.urls")),
    path("api/v1/", include("jobs.api.urls")),
    path("api/v1/", include("scheduling.api.urls")),
    path("api/v1/", include("webhooks.api.urls")),
    path("api/v1/", include("config.api.urls")),
    path("api/v1/schema/", SpectacularJSONAPIView.as_view(**_SCHEMA), name="schema"),
    path("api/v1/docs", RedirectView.as_view(pattern_name="docs")),
    path("api/v1/docs/", docs, name="docs"),
    re_path(r"^api/", unknown_route),
]

handler400 = "config.api.pages.bad_request"
handler403 = "config.api.pages.permission_denied"
handler500 = "config.api.pages.server_error"

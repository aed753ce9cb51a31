from django.urls import path

from accounts.api.audit import AuditView
from accounts.api.me import MeView
from accounts.api.tenants import TenantsView, TenantView
from accounts.api.tokens import TokensView, TokenView

urlpatterns = [
    path("audit", AuditView.as_view()),
    path("me", MeView.as_view()),
    path("tenants", TenantsView.as_view()),
    path("tenants/<str:slug>", TenantView.as_view()),
    path("tokens", TokensView.as_view()),
    path("tokens/<str:token_id>", TokenView.as_view()),
]

"""API tokens: made, shown once, revoked. Nothing else about one ever changes."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from unfold.decorators import display

from accounts import tokens
from accounts.admin.base import ScopedAdmin, address_of
from accounts.admin.display import NONE, ago, mono
from accounts.admin.tenant_filter import TenantFilter
from accounts.admin.token_form import NewTokenForm
from accounts.models import ApiToken
from accounts.roles import Role
from accounts.staff import staff_of

_COLOURS = {"works": "success", "expired": "warning"}


@admin.register(ApiToken)
class TokenAdmin(ScopedAdmin):
    view_role = add_role = Role.ADMIN
    audited_as = "token"
    list_display = (
        "name",
        "state",
        "tenant_slug",
        "scope_words",
        "owner_or_all",
        "expires",
        "used",
    )
    list_filter = (TenantFilter,)
    list_select_related = ("tenant",)
    search_fields = ("name", "owner")
    search_help_text = "Name or owner"
    ordering = ("-id",)
    actions = ("revoke_selected",)
    change_form_outer_after_template = "admin/accounts/apitoken/revoke.html"

    class Media:
        css = {"all": ["accounts/access.css"]}
        js = ["accounts/access.js"]

    @display(description="state", label=_COLOURS)  # type: ignore[untyped-decorator]  # unfold's
    def state(self, token: ApiToken) -> str:
        if token.revoked_at:
            return "revoked"
        return "expired" if token.expires_at and token.expires_at <= timezone.now() else "works"

    @admin.display(description="tenant", ordering="tenant__slug")
    def tenant_slug(self, token: ApiToken) -> str:
        return token.tenant.slug if token.tenant else "platform"

    @admin.display(description="may")
    def scope_words(self, token: ApiToken) -> str:
        return ", ".join(token.scopes)

    @admin.display(description="owner")
    def owner_or_all(self, token: ApiToken) -> str:
        return token.owner or "all"

    @admin.display(description="expires", ordering="expires_at")
    def expires(self, token: ApiToken) -> str:
        return ago(token.expires_at, "never")

    @admin.display(description="last used", ordering="last_used_at")
    def used(self, token: ApiToken) -> str:
        return ago(token.last_used_at, "never")

    @admin.display(description="id")
    def identity(self, token: ApiToken) -> str:
        return mono(f"cel_{token.pk.hex}_…")

    @admin.display(description="made")
    def made(self, token: ApiToken) -> str:
        return ago(token.created_at)

    @admin.display(description="revoked")
    def revoked(self, token: ApiToken) -> str:
        return ago(token.revoked_at, NONE)

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        if obj is None:
            return ("name", "tenant", "scopes", "owner", "valid")
        return (
            "name", "state", "tenant_slug", "scope_words", "owner_or_all",
            "identity", "made", "expires", "used", "revoked",
        )  # fmt: skip

    def get_form(
        self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any
    ) -> type[ModelForm[ApiToken]]:
        if change:
            form: type[ModelForm[ApiToken]] = super().get_form(request, obj, change, **kwargs)
            return form
        made = super().get_form(request, obj, change, **{**kwargs, "form": NewTokenForm})
        return type(made.__name__, (made,), {"by": staff_of(request)})

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        one_button = {"show_save_and_add_another": False, "show_save_and_continue": False}
        answer: HttpResponse = super().add_view(request, form_url, one_button)
        return answer

    def save_model(self, request: HttpRequest, obj: Any, form: NewTokenForm, change: bool) -> None:
        """The text stays with this one object, until `response_add` has shown it."""
        issued = tokens.issue(
            name=obj.name,
            tenant=obj.tenant,
            scopes=obj.scopes,
            owner=obj.owner,
            expires_at=form.expires_at,
            issued_by=staff_of(request).actor,
            address=address_of(request),
        )
        obj.pk, obj.shown_once = issued.token.pk, issued.text

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        """The page that shows the token. It follows no redirect, so nothing has to keep the text
        in between; sent again, the form meets its own name in use."""
        answer = TemplateResponse(
            request,
            "admin/accounts/apitoken/made.html",
            {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "media": self.media,
                "title": "Token made",
                "token": obj,
                "text": obj.shown_once,
            },
        )
        answer["Cache-Control"] = "no-store"
        return answer

    def get_urls(self) -> list[URLPattern]:
        revoke = path(
            "<path:object_id>/revoke/",
            self.admin_site.admin_view(never_cache(self.revoke_view)),
            name="accounts_apitoken_revoke",
        )
        return [revoke, *super().get_urls()]

    def revoke_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """By POST only."""
        if not self.has_revoke_permission(request):
            raise PermissionDenied
        token = self.get_object(request, unquote(object_id))
        if token is None:
            raise Http404
        if request.method == "POST":
            self._revoke(request, token)
            self.message_user(request, f"{token.name} is revoked.", messages.SUCCESS)
        page = reverse("admin:accounts_apitoken_change", args=[quote(str(token.pk))])
        return HttpResponseRedirect(page)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return self._may(request, Role.ADMIN, None)

    @admin.action(description="Revoke", permissions=["revoke"])
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        """Of those that this person sees, and so may revoke."""
        working = list(queryset.filter(revoked_at=None).select_related("tenant"))
        for token in working:
            self._revoke(request, token)
        self.message_user(request, f"{len(working)} revoked.", messages.SUCCESS)

    def _revoke(self, request: HttpRequest, token: ApiToken) -> None:
        tokens.revoke(token, by=staff_of(request).actor, address=address_of(request))

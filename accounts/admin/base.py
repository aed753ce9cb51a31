"""The base of every page of the admin that shows rows of a tenant."""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn, TypeVar
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.admin import SimpleListFilter
from django.contrib.admin.utils import unquote
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.db.models import Field, ForeignKey, Model, QuerySet
from django.forms import Field as FormField
from django.forms import ModelChoiceField
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.text import capfirst
from unfold.admin import ModelAdmin

from accounts.address import address_of
from accounts.exceptions import AccountsError
from accounts.models import Tenant
from accounts.roles import Role
from accounts.staff import staff_of

__all__ = ["PlatformOnly", "ScopedAdmin", "address_of"]

M = TypeVar("M", bound=Model)


class PlatformOnly:
    """A page for platform admins, whatever Django's own permissions say."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return staff_of(request).everywhere

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return staff_of(request).everywhere

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return staff_of(request).everywhere

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return staff_of(request).everywhere

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return staff_of(request).everywhere


class ScopedAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """People see the rows of the tenants they are members of, and do what their role allows.

    Subclasses say where the tenant stands (`tenant_path`; None: rows of the platform, which every
    member sees) and which role each thing takes; None is nobody, through this page. The audit
    trail calls a row `audited_as` and names it by its field `audited_by`.
    """

    tenant_path: ClassVar[str | None] = "tenant"
    view_role: ClassVar[Role] = Role.VIEWER
    add_role: ClassVar[Role | None] = None
    change_role: ClassVar[Role | None] = None
    delete_role: ClassVar[Role | None] = None
    audited_as: ClassVar[str] = ""
    audited_by: ClassVar[str] = "pk"
    list_per_page = 50
    list_disable_select_all = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        if self.tenant_path is None:
            return rows
        return staff_of(request).narrow(rows, self.view_role, self.tenant_path)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._may(request, self.view_role, None)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may(request, self.view_role, obj)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may(request, self.add_role, None)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may(request, self.change_role, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may(request, self.delete_role, obj)

    def _may(self, request: HttpRequest, role: Role | None, obj: Model | None) -> bool:
        """Without an object: somewhere, and for rows of the platform where `role` is more than to
        view, only platform admins."""
        if role is None:
            return False
        person = staff_of(request)
        if self.tenant_path is None:
            return person.everywhere or (
                role == self.view_role and person.may_somewhere(self.view_role)
            )
        return person.may_somewhere(role) if obj is None else person.may(role, self.tenant_of(obj))

    def tenant_of(self, obj: Model) -> int | None:
        """The primary key of the tenant that the row belongs to; None is the platform."""
        found: Any = obj
        for step in str(self.tenant_path).split("__"):
            found = getattr(found, step)
        return None if found is None else found.pk if isinstance(found, Model) else found

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Named by what it lists, not by what might be chosen to change."""
        title = capfirst(self.opts.verbose_name_plural)
        answer: HttpResponse = super().changelist_view(
            request, {"title": title, **(extra_context or {})}
        )
        return answer

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Nothing is deleted in bulk: that goes by no verb of ours."""
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only by what the page's filters offer. By the address anybody could else ask of any
        column how a hidden value begins, or have the whole table read."""
        try:
            self.opts.get_field(lookup.partition("__")[0])
        except FieldDoesNotExist:
            return bool(super().lookup_allowed(lookup, value, request))
        filters = () if request is None else self.get_list_filter(request)
        return any(_asks_for(lookup, offered) for offered in filters)

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField[Any] | None:
        """Only tenants where this person may do it are offered."""
        if db_field.related_model is Tenant and self.add_role:
            offered = staff_of(request).narrow(Tenant.objects.all(), self.add_role, "pk")
            kwargs["queryset"] = offered.order_by("slug")
        field: ModelChoiceField[Any] | None = super().formfield_for_foreignkey(
            db_field, request, **kwargs
        )
        return field

    def formfield_for_dbfield(
        self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> FormField | None:
        """A choice is a choice: no buttons beside it that add or change what is chosen."""
        field: FormField | None = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            answer: HttpResponse = super().changeform_view(request, *args, **kwargs)
        except AccountsError as error:
            return self._refused(request, error)
        return answer

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            answer: HttpResponse = super().delete_view(request, *args, **kwargs)
        except AccountsError as error:
            return self._refused(request, error)
        return answer

    def _refused(self, request: HttpRequest, error: AccountsError) -> HttpResponse:
        self.message_user(request, str(error), messages.ERROR)
        return HttpResponseRedirect(request.get_full_path())

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """The audit trail is the history."""
        row = self.get_object(request, unquote(object_id))
        if row is None or not self.audited_as:
            raise Http404
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        audit = reverse(f"{self.admin_site.name}:accounts_auditentry_changelist")
        return HttpResponseRedirect(f"{audit}?{urlencode({'q': self.audited_name(row)})}")

    def audited_name(self, row: Model) -> str:
        found: Any = row
        for step in self.audited_by.split("__"):
            found = getattr(found, step)
        return str(found)

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: Any, object_id: str
    ) -> NoReturn:
        """A row of another tenant and one that never was get the same answer."""
        raise Http404

    # The audit trail is the one log; Django's own, beside it, would know half of it.

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> None:
        return None

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> None:
        return None

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:
        return None


def _asks_for(lookup: str, offered: Any) -> bool:
    """Whether this part of an address belongs to this filter."""
    if isinstance(offered, type) and issubclass(offered, SimpleListFilter):
        return lookup == offered.parameter_name
    field = offered[0] if isinstance(offered, list | tuple) else offered
    return lookup == field or lookup.startswith(f"{field}__")

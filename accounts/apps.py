from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        post_migrate.connect(make_default_tenant, sender=self)
        _write_down_sign_ins()
        from accounts.rate_limits import checks  # noqa: F401 (it registers itself)


def make_default_tenant(using: str, **_: Any) -> None:
    """After `migrate`, and after a flush, which empties the table as well."""
    from accounts.models import DEFAULT_TENANT, Tenant

    Tenant.objects.using(using).get_or_create(slug=DEFAULT_TENANT, defaults={"name": "Default"})


def _write_down_sign_ins() -> None:
    from django.contrib.auth import signals

    from accounts import signing_in

    signals.user_logged_in.connect(signing_in.note_sign_in)
    signals.user_logged_out.connect(signing_in.note_sign_out)
    signals.user_login_failed.connect(signing_in.note_refusal)

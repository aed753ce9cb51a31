from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.ids import new_id
from accounts.scopes import Scope


class ApiToken(models.Model):
    """The right of a program to call the API. Of its secret only a hash is kept.

    Without a tenant it is a platform admin's. `accounts.tokens` makes, checks and revokes tokens.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey("accounts.Tenant", models.CASCADE, null=True, related_name="tokens")
    name = models.CharField(max_length=100)
    secret_sha256 = models.BinaryField(max_length=32, editable=False)
    scopes = ArrayField(models.CharField(max_length=32))
    owner = models.TextField(
        blank=True, default="", help_text="Sees and makes only this owner's jobs."
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    created_by = models.TextField(blank=True, default="", db_default="", editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, editable=False, help_text="To the minute.")

    class Meta:
        verbose_name = "token"
        constraints = [
            models.CheckConstraint(
                name="api_token_scopes_known",
                condition=Q(scopes__contained_by=[scope.value for scope in Scope]),
            ),
            models.CheckConstraint(
                name="api_token_of_platform_is_admin",
                condition=Q(tenant__isnull=False)
                | Q(scopes__contains=[Scope.ADMIN.value], owner=""),
            ),
            # The audit trail tells tokens by name, so two that work may not share one.
            models.UniqueConstraint(
                name="api_token_name_in_tenant",
                fields=["tenant", "name"],
                condition=Q(revoked_at=None),
            ),
            models.UniqueConstraint(
                name="api_token_name_of_platform",
                fields=["name"],
                condition=Q(revoked_at=None, tenant=None),
            ),
        ]

    def __str__(self) -> str:
        return self.name

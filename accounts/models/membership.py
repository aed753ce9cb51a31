from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from accounts.roles import Role


class Membership(models.Model):
    """A person's role in a tenant. A superuser needs none: a platform admin reaches every tenant.

    `accounts.members` makes, changes and removes them, each with its audit entry.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships", db_index=False
    )
    tenant = models.ForeignKey("accounts.Tenant", models.CASCADE, related_name="memberships")
    role = models.CharField(
        max_length=10,
        choices=[(role.value, role.value) for role in Role],
        default=Role.VIEWER.value,
        help_text="viewer: sees; operator: also acts on jobs; admin: also members and tokens.",
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = "member"
        constraints = [
            models.UniqueConstraint(name="membership_once", fields=["user", "tenant"]),
            models.CheckConstraint(
                name="membership_role_known",
                condition=models.Q(role__in=[role.value for role in Role]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.tenant}"

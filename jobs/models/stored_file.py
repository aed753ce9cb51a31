from django.db import models
from django.db.models.functions import Now

from accounts.ids import new_id


class StoredFile(models.Model):
    """A file that was handed in: what is known of it. Its bytes lie in the storage `files`, under
    a name of ours.

    `jobs.files` writes and removes it. The bytes are there before the row, and go after it, so a
    row without bytes is never seen.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey("accounts.Tenant", models.PROTECT, related_name="+", db_index=False)
    owner = models.TextField(blank=True, default="")
    name = models.CharField(max_length=255, help_text="The sender's, cleaned; for people.")
    content_type = models.CharField(max_length=255, help_text="As the sender says.")
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    storage_name = models.CharField(max_length=100, unique=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    created_by = models.TextField(blank=True, default="")
    expires_at = models.DateTimeField(
        help_text="Cannot be named in a new job after; removed once no unfinished job names it."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(name="stored_file_not_empty", condition=models.Q(size__gt=0))
        ]
        indexes = [models.Index(name="stored_file_expiring", fields=["expires_at"])]

    def __str__(self) -> str:
        return f"{self.name} ({self.id})"

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from accounts.ids import new_id


class Calendar(models.Model):
    """Days on which schedules that name it do not run, each in the schedule's own time zone."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey("accounts.Tenant", models.PROTECT, related_name="+", db_index=False)
    owner = models.TextField(blank=True, default="")
    name = models.TextField()
    description = models.TextField(blank=True, default="")
    dates = ArrayField(models.DateField(), default=list, blank=True)
    yearly = ArrayField(
        models.CharField(max_length=5), default=list, blank=True, help_text="MM-DD, each year."
    )
    weekdays = ArrayField(
        models.SmallIntegerField(), default=list, blank=True, help_text="1 (Monday) to 7 (Sunday)."
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)
    created_by = models.TextField(blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(name="calendar_name_once", fields=["tenant", "name"]),
        ]
        indexes = [models.Index(name="calendar_newest", fields=["tenant", "-id"])]

    def __str__(self) -> str:
        return self.name

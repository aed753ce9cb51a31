from django.db import models
from django.db.models.functions import Now

from accounts.ids import new_id


class Workflow(models.Model):
    """Jobs that wait for each other: steps, each a job with its name in `Job.step`, and the edges
    between them. Its status is what its steps' jobs say."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey("accounts.Tenant", models.PROTECT, related_name="+", db_index=False)
    owner = models.TextField(blank=True, default="")
    name = models.TextField(blank=True, default="")
    created_by = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes = [models.Index(fields=["tenant", "-id"], name="workflow_newest")]

    def __str__(self) -> str:
        return self.name or str(self.id)

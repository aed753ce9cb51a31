from django.db import models
from django.db.models.functions import Now

from accounts.ids import new_id


class ArtifactKind(models.TextChoices):
    ARTIFACT = "artifact"  # a named file that the job's code made
    RESULT = "result"  # a result too large for the row, as JSON


class Artifact(models.Model):
    """What a job made that does not fit into its row. The bytes lie in the storage `artifacts`,
    under a name of ours; they are there before the row, and go after it.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    job = models.ForeignKey("jobs.Job", models.CASCADE, related_name="artifacts", db_index=False)
    kind = models.CharField(max_length=8, choices=ArtifactKind)
    name = models.CharField(max_length=255, help_text="The job's, cleaned.")
    content_type = models.CharField(max_length=255)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    storage_name = models.CharField(max_length=100, unique=True)
    fence = models.BigIntegerField(help_text="Of the attempt that made it.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            # One written again, by a later attempt for one, takes the place of the former.
            models.UniqueConstraint(name="artifact_name_once", fields=["job", "kind", "name"]),
            models.CheckConstraint(
                name="artifact_kind_known", condition=models.Q(kind__in=ArtifactKind.values)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.job_id}"

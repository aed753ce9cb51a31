from django.db import models
from django.db.models.functions import Now


class LogLine(models.Model):
    """A line that a job's code logged, kept with the job. The id gives the order."""

    id = models.BigAutoField(primary_key=True)
    job = models.ForeignKey("jobs.Job", models.CASCADE, related_name="+", db_index=False)
    attempt = models.PositiveIntegerField()
    at = models.DateTimeField(db_default=Now())
    level = models.CharField(max_length=8)
    message = models.TextField()

    class Meta:
        indexes = [models.Index(name="log_line_of_job", fields=["job", "id"])]

    def __str__(self) -> str:
        return self.message

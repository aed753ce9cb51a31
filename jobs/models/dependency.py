from django.db import models


class OnFailure(models.TextChoices):
    """What a failed or cancelled dependency means for the job that waits for it."""

    CANCEL = "cancel"
    FAIL = "fail"
    RUN = "run"


class Dependency(models.Model):
    """`job` waits until `depends_on` has ended. `settled_at` is set when that was taken in."""

    job = models.ForeignKey("jobs.Job", models.CASCADE, related_name="dependencies", db_index=False)
    depends_on = models.ForeignKey(
        "jobs.Job", models.CASCADE, related_name="dependants", db_index=False
    )
    on_failure = models.CharField(max_length=10, choices=OnFailure, default=OnFailure.CANCEL)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "dependencies"
        constraints = [
            models.UniqueConstraint(name="dependency_once", fields=["job", "depends_on"]),
            models.CheckConstraint(
                name="dependency_not_itself", condition=~models.Q(job=models.F("depends_on"))
            ),
            models.CheckConstraint(
                name="dependency_on_failure_known",
                condition=models.Q(on_failure__in=OnFailure.values),
            ),
        ]
        indexes = [
            models.Index(
                name="dependency_open", fields=["depends_on"], condition=models.Q(settled_at=None)
            ),
            # Of 10,000 dependencies the first open one is found without a look at the others.
            models.Index(
                name="dependency_waiting", fields=["job"], condition=models.Q(settled_at=None)
            ),
            models.Index(name="dependency_depends_on", fields=["depends_on"]),
        ]

    def __str__(self) -> str:
        return f"{self.job_id} after {self.depends_on_id}"

from django.db import models


class FileUse(models.Model):
    """`job` names `file` in its payload. Until the job has ended the file is kept.

    The migration makes both foreign keys itself: they are checked at once, and a job that is
    deleted by any means takes its uses along.
    """

    job = models.ForeignKey(
        "jobs.Job", models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    file = models.ForeignKey(
        "jobs.StoredFile", models.CASCADE, related_name="uses", db_constraint=False
    )

    class Meta:
        constraints = [models.UniqueConstraint(name="file_use_once", fields=["job", "file"])]

    def __str__(self) -> str:
        return f"{self.job_id} names {self.file_id}"

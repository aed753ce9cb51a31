from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models.functions import Now


class Queue(models.Model):
    """A kind of work that workers choose to consume.

    Rows appear by `migrate` for each queue that an installed job type names.
    """

    name = models.CharField(
        primary_key=True, max_length=100, validators=[RegexValidator(r"^[a-z0-9][a-z0-9_-]*$")]
    )
    max_concurrency = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)],
        help_text="Jobs at once over all workers; 1 makes it sequential.",
    )  # fmt: skip
    rate_limit = models.CharField(
        max_length=20,
        blank=True,
        default="",
        db_default="",
        help_text="Starts in a time, as in 100/m.",
    )
    weight = models.PositiveSmallIntegerField(
        default=1, db_default=1, validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="Its share of workers that it shares with other queues.",
    )  # fmt: skip
    internal = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="Of the platform's own jobs: no program hands in to it, no worker of all queues "
        "takes from it.",
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="queue_limits_positive",
                condition=(models.Q(max_concurrency=None) | models.Q(max_concurrency__gte=1))
                & models.Q(weight__range=(1, 100)),
            )
        ]

    def __str__(self) -> str:
        return self.name

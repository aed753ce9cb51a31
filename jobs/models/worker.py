from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now


class Wish(models.TextChoices):
    """What a worker is asked to be. It reads this every two seconds."""

    RUN = "run"
    PAUSE = "pause"  # takes no further job
    STOP = "stop"  # ends its jobs, then itself, and stays down
    RESTART = "restart"  # the same, and comes back


class Worker(models.Model):
    """A worker as it last reported itself. A restart under the same name is a new incarnation."""

    name = models.CharField(primary_key=True, max_length=255)
    incarnation = models.UUIDField()
    queues = ArrayField(models.CharField(max_length=100), default=list)
    types = ArrayField(models.TextField(), default=list, help_text="Job types this worker knows.")
    slots = models.PositiveIntegerField(default=0)
    pid = models.PositiveIntegerField(default=0)
    version = models.CharField(max_length=40, blank=True)
    memory_bytes = models.BigIntegerField(default=0)
    stopping = models.BooleanField(default=False)
    wish = models.CharField(
        max_length=8, choices=Wish, default=Wish.RUN, db_default=Wish.RUN,
        help_text="As an operator asked; a new incarnation begins with none.",
    )  # fmt: skip
    wished_at = models.DateTimeField(null=True)
    refused_writes = models.BigIntegerField(
        default=0, help_text="Writes of attempts that had lost their fence."
    )
    dropped_messages = models.BigIntegerField(default=0, help_text="Malformed messages.")
    started_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.name

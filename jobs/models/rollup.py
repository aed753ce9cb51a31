from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

EVERY_TENANT = 0


class Rollup(models.Model):
    """What ended within one minute: of a tenant, queue and type, and the same added up.

    Sums stand beside the parts: tenant 0 is all of them, an empty queue or type is every one. So a
    tenant's or the whole platform's day is 1,440 rows, however many queues and types there are.
    No foreign key: figures outlive what they tell of.
    """

    minute = models.DateTimeField()
    tenant_id = models.BigIntegerField()
    queue = models.TextField(blank=True)
    type = models.TextField(blank=True)
    completed = models.BigIntegerField(default=0)
    failed = models.BigIntegerField(default=0)
    cancelled = models.BigIntegerField(default=0)
    completed_after_retry = models.BigIntegerField(default=0)
    failed_after_retry = models.BigIntegerField(default=0)
    run_seconds = models.FloatField(default=0, help_text="Of the completed jobs, added up.")
    waits = ArrayField(
        models.IntegerField(), default=list, help_text="Counts by `jobs.stats.histogram`."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="rollup_once", fields=["tenant_id", "queue", "type", "minute"]
            )
        ]
        indexes = [models.Index(name="rollup_minute", fields=["minute"])]

    def __str__(self) -> str:
        return f"{self.minute:%Y-%m-%d %H:%M} {self.queue or '*'} {self.type or '*'}"


class DepthSample(models.Model):
    """How many jobs waited and ran at a moment within a minute. Sums as in `Rollup`."""

    minute = models.DateTimeField()
    tenant_id = models.BigIntegerField()
    queue = models.TextField(blank=True)
    level = models.CharField(max_length=10, blank=True)
    waiting = models.BigIntegerField(default=0)
    processing = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="depth_sample_once", fields=["tenant_id", "queue", "level", "minute"]
            )
        ]
        indexes = [models.Index(name="depth_sample_minute", fields=["minute"])]

    def __str__(self) -> str:
        return f"{self.minute:%Y-%m-%d %H:%M} {self.queue or '*'} {self.level or '*'}"


class RollupMark(models.Model):
    """Up to which moment ended jobs are in `Rollup`: all that ended until then, none after."""

    name = models.CharField(primary_key=True, max_length=40)
    until = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.name} until {self.until}"

from django.db import models
from django.db.models.functions import Now


class Heartbeat(models.Model):
    """When somebody last did a duty that leaves no other trace while there is nothing to do."""

    duty = models.CharField(primary_key=True, max_length=40)
    holder = models.CharField(max_length=255, blank=True)
    seen_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.duty}: {self.holder}"

from __future__ import annotations

from django.db import models

from accounts.ids import new_id


class Row(models.Model):
    """What a bare view keeps: the body, and when it came."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    body = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects: models.Manager[Row] = models.Manager()

    class Meta:
        app_label = "bare"

    def __str__(self) -> str:
        return str(self.pk)

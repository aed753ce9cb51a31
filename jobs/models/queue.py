from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Now


class Queue(models.Model):
    """A kind of work that workers choose to consume.

    Rows appear by `migrate` for each queue that an installed job type names.
    """

    name = models.CharField(
        primary_key=True, max_length=100, validators=[RegexValidator(r"^[a-z0-9][a-z0-9_-]*$")]
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return self.name

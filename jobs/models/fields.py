"""Columns whose value the database gives, known on the instance right after its INSERT."""

from django.db import models


class AssignedDateTimeField(models.DateTimeField):  # type: ignore[type-arg]  # not generic at run time
    # Django reads a column back with the INSERT where its field says so (as BigAutoField does).
    db_returning = True


class AssignedBigIntegerField(models.BigIntegerField):  # type: ignore[type-arg]  # as above
    db_returning = True

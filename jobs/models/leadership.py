from django.db import models

DISPATCH = "dispatcher"


class Leadership(models.Model):
    """Which process leads a duty, as a lease with a term.

    The holder's every transaction locks this row and compares the term, so a leader that was
    stopped and resumed finds that its term is over before it can do harm.
    """

    duty = models.CharField(primary_key=True, max_length=40)
    term = models.BigIntegerField(default=0)
    holder = models.CharField(max_length=255, blank=True)
    expires_at = models.DateTimeField(null=True)
    policy_version = models.BigIntegerField(
        default=0, db_default=0, help_text="Grows with each change of limits and pauses."
    )

    def __str__(self) -> str:
        return f"{self.duty}: {self.holder or 'nobody'} (term {self.term})"

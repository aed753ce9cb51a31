"""A form whose values a verb judges, for a row as it was when the form was shown."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django import forms

from jobs.exceptions import FieldErrors, JobsError, TransitionRefused

SEEN = "seen"


class ChangedMeanwhile(TransitionRefused):
    """Somebody changed it meanwhile, and nothing is saved. Open it again and look at it."""


def seen(updated_at: datetime) -> str:
    """What the form carries of the row that it shows."""
    return updated_at.isoformat()


class SeenField(forms.CharField):
    def __init__(self) -> None:
        super().__init__(required=False, widget=forms.HiddenInput)


class JudgedForm(forms.Form):
    """`lists` are fields where it says nothing which of the values is wrong."""

    lists: ClassVar[frozenset[str]] = frozenset()

    def refuse(self, error: JobsError) -> None:
        """Say at each field what is wrong with it; the rest above them all."""
        if not isinstance(error, FieldErrors):
            self.add_error(None, str(error))
            return
        for one in error.errors:
            self.add_told(one.pointer, one.detail)

    def add_told(self, pointer: str, detail: str) -> None:
        name, _, rest = pointer.removeprefix("/").partition("/")
        where = rest if rest and name not in self.lists else ""
        if name in self.fields:
            self.add_error(name, f"{where}: {detail}" if where else detail)
        else:
            self.add_error(None, f"{name}: {detail}")

    def require_as_seen(self, updated_at: datetime) -> None:
        """Raises ChangedMeanwhile where the row is no longer the one that the form showed."""
        if self.cleaned_data[SEEN] != seen(updated_at):
            raise ChangedMeanwhile

    def field(self, name: str) -> Any:
        """To set its choices, which the types of Django's fields do not tell of."""
        return self.fields[name]

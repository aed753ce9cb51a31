"""Fields of the forms: values as a person writes them."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

_NUMBER = re.compile(r"\d{1,7}(\.\d{1,3})?")
_LONGEST = 1_000


class WaitsField(forms.CharField):
    """Seconds, one after the other: `10, 60, 600`."""

    def to_python(self, value: Any) -> Any:
        words = str(super().to_python(value))[:_LONGEST].replace(",", " ").split()
        if not all(_NUMBER.fullmatch(word) for word in words):
            raise ValidationError("seconds, such as 10, 60, 600")
        return [seconds_of(word) for word in words]

    def run_validators(self, value: Any) -> None:
        """They would look at a text."""


class SecondsField(forms.FloatField):
    """Without decimals where they say nothing."""

    def __init__(self, **options: Any) -> None:
        box = forms.NumberInput(attrs={"step": "any", "min": "0"})
        super().__init__(required=False, widget=box, **options)

    def clean(self, value: Any) -> Any:
        found = super().clean(value)
        return int(found) if found is not None and found.is_integer() else found


def seconds_of(word: str) -> float:
    return float(word) if "." in word else int(word)

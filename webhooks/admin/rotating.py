"""Replacing a secret: how long the one before signs as well."""

from __future__ import annotations

from django import forms

from webhooks.secrets import LONGEST_OVERLAP, OVERLAP

_KEEP = [
    ("0", "Not at all: it leaked"),
    ("3600", "For an hour"),
    (str(OVERLAP), "For a day"),
    (str(LONGEST_OVERLAP), "For a week"),
]


class RotateForm(forms.Form):
    keep_for = forms.TypedChoiceField(
        label="The secret before signs as well",
        choices=_KEEP,
        coerce=int,
        initial=str(OVERLAP),
        widget=forms.RadioSelect,
    )

"""Fields of forms: values as a person writes them."""

from __future__ import annotations

from typing import Any

from django import forms


class LinedField(forms.CharField):
    """A text of some lines, kept as it is. A browser sends CRLF for each end of a line."""

    def __init__(self, *, rows: int) -> None:
        area = forms.Textarea(attrs={"rows": rows})
        super().__init__(required=False, strip=False, widget=area)

    def to_python(self, value: Any) -> Any:
        return str(super().to_python(value)).replace("\r\n", "\n")

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(data) != self.to_python(initial))


class UtcField(forms.DateTimeField):
    """A moment in UTC, from a box with a calendar."""

    def __init__(self, *, required: bool = False, **options: Any) -> None:
        box = forms.DateTimeInput(
            attrs={"type": "datetime-local", "step": "1"}, format="%Y-%m-%dT%H:%M:%S"
        )
        super().__init__(required=required, widget=box, **options)

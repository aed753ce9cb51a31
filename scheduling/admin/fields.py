"""Fields of the forms: values as a person writes them."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

_DEEPEST = 32


class PayloadField(forms.CharField):
    """A JSON object, indented; nothing is an empty one."""

    def __init__(self, **options: Any) -> None:
        area = forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "class": "cel-code"})
        super().__init__(required=False, widget=area, **options)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, str):
            return value
        return json.dumps(value or {}, indent=2, ensure_ascii=False)

    def to_python(self, value: Any) -> Any:
        text = str(super().to_python(value))
        try:
            found = json.loads(text) if text else {}
        except json.JSONDecodeError as error:
            told = f"is not JSON: {error.msg} in line {error.lineno}, column {error.colno}"
            raise ValidationError(told) from None
        except (ValueError, RecursionError):  # digits without end, brackets without end
            raise ValidationError("is no JSON that can be kept") from None
        if not isinstance(found, dict):
            raise ValidationError("a payload is a JSON object: {…}")
        if _depth(found) > _DEEPEST:
            raise ValidationError(f"is nested deeper than {_DEEPEST}")
        return found

    def run_validators(self, value: Any) -> None:
        """They would look at a text."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return _canonical(self.to_python(data)) != _canonical(initial or {})
        except ValidationError:
            return True


def _canonical(value: Any) -> str:
    """Unlike Python's `==`, it tells 1 from true and from 1.0."""
    return json.dumps(value, sort_keys=True)


def _depth(value: Any) -> int:
    """Of brackets in brackets, without recursion."""
    depth, level = 0, [value]
    while level:
        depth += 1
        inner = [each for one in level for each in (one.values() if isinstance(one, dict) else one)]
        level = [each for each in inner if isinstance(each, dict | list)]
    return depth


class LinesField(forms.CharField):
    """Some values, one a line. Empty lines are none."""

    def __init__(self, *, rows: int, placeholder: str = "", **options: Any) -> None:
        area = forms.Textarea(
            attrs={"rows": rows, "placeholder": placeholder, "spellcheck": "false"}
        )
        super().__init__(required=False, widget=area, **options)

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) or value is None else "\n".join(self.lines_of(value))

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value) or ""
        return self.read([line.strip() for line in text.splitlines() if line.strip()])

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != self.read(self.lines_of(initial or ())))
        except ValidationError:
            return True

    def validate(self, value: Any) -> None:
        """It was, line by line."""

    def run_validators(self, value: Any) -> None:
        """They would look at a text."""

    def lines_of(self, value: Any) -> list[str]:
        return [str(one) for one in value]

    def read(self, lines: list[str]) -> Any:
        return lines


class LabelsField(LinesField):
    """`name: value`, one a line."""

    def lines_of(self, value: Any) -> list[str]:
        return [f"{name}: {text}" for name, text in dict(value).items()]

    def read(self, lines: list[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for line in lines:
            name, colon, text = line.partition(":")
            if not colon:
                raise ValidationError(f"“{line[:60]}” is not of the form name: value")
            found[name.strip()] = text.strip()
        return found


class DatesField(LinesField):
    """Days such as 2026-12-25, one a line."""

    def read(self, lines: list[str]) -> list[date]:
        try:
            return [date.fromisoformat(line) for line in lines]
        except ValueError:
            raise ValidationError("write each day as 2026-12-25, one a line") from None


class PriorityField(forms.CharField):
    """A number or the name of a level; the engine knows which there are."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text:
            return None
        return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else text

    def run_validators(self, value: Any) -> None:
        """They would look at a text."""

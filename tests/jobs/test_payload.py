"""Parameters: checked by the function's signature, stored as JSON, read back as they were."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from accounts.models import Tenant
from jobs import JobContext
from jobs.exceptions import DeclarationError, InvalidPayload, PayloadTooLarge
from jobs.models import Job
from jobs.payload import MAX_BYTES, arguments, model_of, validated
from tests.jobs import making


class Colour(Enum):
    RED = "red"


class Options(BaseModel):
    pages: list[int] = []
    since: date | None = None


def typed(
    context: JobContext,
    *,
    moment: datetime | None = None,
    day: date | None = None,
    clock: time | None = None,
    span: timedelta | None = None,
    reference: UUID | None = None,
    price: Decimal | None = None,
    colour: Colour | None = None,
    options: Options | None = None,
    mode: Literal["full", "delta"] = "full",
    tags: set[str] | None = None,
    ratio: float = 0.5,
) -> None: ...


def strict(
    context: JobContext, *, report_id: Annotated[int, Field(ge=1)], title: str = ""
) -> None: ...


def nested(context: JobContext, *, items: list[Options], by_name: dict[str, int]) -> None: ...


def open_ended(context: JobContext, *, name: str = "", **payload: Any) -> None: ...


TYPED, STRICT, NESTED, OPEN = (
    model_of(function.__name__, function) for function in (typed, strict, nested, open_ended)
)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("moment", datetime(2026, 3, 4, 5, 6, 7, 890123, tzinfo=UTC)),
        ("day", date(2026, 2, 28)),
        ("clock", time(23, 59, 59)),
        ("span", timedelta(days=3, seconds=4)),
        ("reference", UUID(int=7)),
        ("price", Decimal("19.990")),
        ("colour", Colour.RED),
        ("options", Options(pages=[1, 2], since=date(2026, 1, 1))),
        ("mode", "delta"),
        ("tags", {"a", "b"}),
        ("ratio", 0.1),
    ],
)
@pytest.mark.django_db
def test_a_value_of_any_supported_type_comes_back_as_it_was(
    name: str, value: Any, tenant: Tenant
) -> None:
    stored = validated(TYPED, {name: value})
    job = making.queued(tenant, payload=stored)  # through a jsonb column and back

    assert set(stored) == {name}
    assert arguments(TYPED, job.payload)[name] == value


def test_defaults_are_the_codes_and_are_not_stored() -> None:
    assert validated(STRICT, {"report_id": 7}) == {"report_id": 7}
    assert arguments(STRICT, {"report_id": 7}) == {"report_id": 7, "title": ""}


@pytest.mark.parametrize(
    ("model", "payload", "pointer", "says"),
    [
        (STRICT, {}, "/report_id", "required"),
        (STRICT, {"report_id": "seven"}, "/report_id", "valid integer"),
        (STRICT, {"report_id": 0}, "/report_id", "greater than or equal"),
        (STRICT, {"report_id": None}, "/report_id", "valid integer"),
        (STRICT, {"report_id": 1, "titel": "x"}, "/titel", "known: report_id, title"),
        (STRICT, {"report_id": 1, "a/b~c": "x"}, "/a~1b~0c", "unknown parameter"),
        (TYPED, {"colour": "blue"}, "/colour", "'red'"),
        (TYPED, {"mode": "half"}, "/mode", "'full' or 'delta'"),
        (TYPED, {"moment": "yesterday"}, "/moment", "datetime"),
        (TYPED, {"options": {"pages": [1, "x"]}}, "/options/pages/1", "integer"),
        (NESTED, {"items": [{}, {"since": 5.5}], "by_name": {}}, "/items/1/since", "date"),
        (NESTED, {"items": [], "by_name": {"a": "x"}}, "/by_name/a", "integer"),
    ],
)
def test_a_wrong_parameter_is_pointed_to(
    model: type[BaseModel], payload: dict[str, Any], pointer: str, says: str
) -> None:
    with pytest.raises(InvalidPayload) as refusal:
        validated(model, payload)

    (error,) = refusal.value.errors
    assert error.pointer == pointer
    assert says in error.detail


def test_all_wrong_parameters_are_told_at_once() -> None:
    with pytest.raises(InvalidPayload) as refusal:
        validated(STRICT, {"title": 5, "extra": 1})

    pointers = {error.pointer for error in refusal.value.errors}
    assert pointers == {"/report_id", "/title", "/extra"}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_json_does_not_have_is_refused(value: float) -> None:
    for model, payload in ((TYPED, {"ratio": value}), (OPEN, {"deep": [{"x": value}]})):
        with pytest.raises(InvalidPayload):
            validated(model, payload)


@pytest.mark.parametrize("text", ["\x00", "a\x00b", "\ud800", "x\udfff"])
def test_text_that_the_database_cannot_hold_is_refused(text: str) -> None:
    for payload in ({"name": text}, {"deep": [{"x": text}]}, {text: 1}):
        with pytest.raises(InvalidPayload):
            validated(OPEN, payload)


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["\\u0000", "\\\\u0000", "C:\\u0000\\", "\u2028", "\x1f", "😀"])
def test_text_that_only_looks_unstorable_is_kept(text: str, tenant: Tenant) -> None:
    job = making.queued(tenant, payload={"text": text})

    assert job.payload == {"text": text}


@pytest.mark.parametrize("value", [object(), print, {1: object()}])
def test_a_value_that_is_no_json_is_refused(value: Any) -> None:
    with pytest.raises(InvalidPayload, match="cannot be written as JSON"):
        validated(OPEN, {"x": value})


@pytest.mark.django_db
def test_a_model_instance_is_refused_with_a_hint(tenant: Tenant) -> None:
    for model in (OPEN, STRICT):
        with pytest.raises(InvalidPayload, match=r"/report_id: .*pass its primary key"):
            validated(model, {"report_id": tenant})
    assert not Job.objects.exists()


@pytest.mark.django_db
def test_a_model_instance_deep_in_a_payload_is_refused_too(tenant: Tenant) -> None:
    for value in ([tenant], {"of": tenant}):
        with pytest.raises(InvalidPayload):
            validated(OPEN, {"x": value})


def test_a_payload_has_a_largest_size_in_bytes() -> None:
    frame = len('{"name": ""}')
    assert validated(OPEN, {"name": "x" * (MAX_BYTES - frame)})

    with pytest.raises(PayloadTooLarge, match=f"{MAX_BYTES + 1} bytes; {MAX_BYTES} are allowed"):
        validated(OPEN, {"name": "x" * (MAX_BYTES - frame + 1)})
    with pytest.raises(PayloadTooLarge):
        validated(OPEN, {"name": "é" * (MAX_BYTES // 2)})


def test_further_keys_may_have_any_name() -> None:
    payload = {"copy": 1, "json": 2, "model_dump": 3, "self": 4, "context": 5, "_x": 6, "": 7}

    stored = validated(OPEN, payload)

    assert stored == payload
    assert arguments(OPEN, stored) == {"name": "", **payload}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(st.text(min_size=1).filter(lambda key: key != "name"), json_values))
def test_any_json_is_kept_or_refused_and_never_changed(payload: dict[str, Any]) -> None:
    try:
        stored = validated(OPEN, payload)
    except InvalidPayload:
        assert "\\u0000" in repr(payload) or "\\x00" in repr(payload) or "\\ud" in repr(payload)
    else:
        assert stored == payload


def test_a_payload_that_no_longer_fits_is_an_error_of_the_payload() -> None:
    with pytest.raises(InvalidPayload, match="/report_id"):
        arguments(STRICT, {"title": "old"})


def test_the_published_schema_is_that_of_the_signature() -> None:
    schema = STRICT.model_json_schema()

    assert schema["required"] == ["report_id"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["report_id"] == {
        "minimum": 1, "title": "Report Id", "type": "integer",
    }  # fmt: skip
    assert OPEN.model_json_schema()["additionalProperties"] is True


def nothing() -> None: ...
def only_keywords(*, context: JobContext) -> None: ...
def positional(context: JobContext, report_id: int) -> None: ...
def bare(context: JobContext, *, report_id) -> None: ...  # type: ignore[no-untyped-def]  # the mistake
def variadic(context: JobContext, *report_ids: int) -> None: ...


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (nothing, "first parameter must be the context"),
        (only_keywords, "first parameter must be the context"),
        (positional, "'report_id' must be keyword-only"),
        (variadic, "'report_ids' must be keyword-only"),
        (bare, "'report_id' needs a type annotation"),
    ],
)
def test_a_signature_that_is_no_schema_is_refused(function: Callable[..., Any], says: str) -> None:
    with pytest.raises(DeclarationError, match=says):
        model_of("reports.render", function)

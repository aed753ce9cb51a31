"""What an endpoint may be told to be, where another than the API asks; and what nobody sees."""

from __future__ import annotations

import pytest
from django.http import QueryDict

from accounts.api.idempotency import Answer
from accounts.models import Tenant
from tests.api.hooked import BY, URL, made
from webhooks import verbs
from webhooks.admin.forms import EndpointForm
from webhooks.definition import Definition
from webhooks.exceptions import InvalidEndpoint
from webhooks.models import Endpoint

THIEF = "https://thief.example.invalid/x"
pytestmark = pytest.mark.django_db


def test_a_stored_header_goes_to_no_other_host_whoever_asks(acme: Tenant) -> None:
    endpoint = made(acme, headers={"X-Key": "c4nary"})
    with pytest.raises(InvalidEndpoint) as caught:
        verbs.change(endpoint, {"url": THIEF}, BY)
    assert [error.pointer for error in caught.value.errors] == ["/headers/X-Key"]
    assert Endpoint.objects.get().url == URL


def test_the_admins_form_says_it_at_the_header(acme: Tenant) -> None:
    endpoint = made(acme, headers={"X-Key": "c4nary"})
    data = QueryDict(mutable=True)
    data.update({
        "url": THIEF, "seen": endpoint.updated_at.isoformat(), "header_name": "X-Key",
        "header_value": "***",
    })  # fmt: skip
    form = EndpointForm(data, tenant=acme, endpoint=endpoint)
    assert form.is_valid()
    assert form.change(endpoint, BY) is None
    assert [row.errors for row in form.headers] == [["give the value again for a new host"]]
    assert form.non_field_errors()
    assert Endpoint.objects.get().url == URL


def test_what_is_secret_is_in_no_text_that_a_log_might_show(acme: Tenant) -> None:
    given = Definition(url=f"{URL}?key=s3cret", headers={"X-Key": "c4nary"})
    new = verbs.create(acme, given, BY)
    answer = Answer(status=200, body={}, shown_once={"secret": new.secret})
    told = f"{given!r} {new!r} {new.endpoint} {new.endpoint!r} {answer!r} {answer.first()!r}"
    assert not any(word in told for word in (new.secret, "s3cret", "c4nary"))

"""API tokens: what they are worth, and to whom they tell nothing."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from statistics import median

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts import tokens
from accounts.exceptions import TokenNameTaken
from accounts.models import ApiToken, AuditEntry, Tenant
from accounts.scopes import EVERY_SCOPE, Scope, expand

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant() -> Tenant:
    return Tenant.objects.create(slug="acme")


def issue(tenant: Tenant | None, name: str = "ci") -> tokens.IssuedToken:
    return tokens.issue(name=name, tenant=tenant, scopes=[Scope.JOBS_READ])


def test_an_issued_token_is_accepted_and_brings_its_tenant(
    tenant: Tenant, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    issued = issue(tenant)
    assert tokens.verify(issued.text) is not None  # the first use is noted
    with django_assert_num_queries(1):
        token = tokens.verify(issued.text)
        assert token is not None
        assert token.tenant == tenant


def test_the_form_of_a_token_can_be_found_by_a_scanner(tenant: Tenant) -> None:
    assert re.fullmatch(r"cel_[0-9a-f]{32}_[0-9a-f]{64}", issue(tenant).text)


def test_nothing_stored_gives_the_token_away(tenant: Tenant) -> None:
    issued = issue(tenant)
    secret = issued.text.rpartition("_")[2]
    row = ApiToken.objects.values().get(pk=issued.token.pk)
    audit = AuditEntry.objects.values().get(object_id=str(issued.token.pk))
    assert secret not in repr((row, audit))
    assert bytes.fromhex(secret) not in bytes(row["secret_sha256"])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[:-1] + ("0" if text[-1] != "0" else "1"),  # wrong secret
        lambda text: "cel_" + "0" * 32 + text[36:],  # unknown id
        lambda text: text.upper(),
        lambda text: text + "0",
        lambda text: " " + text,
        lambda text: text[4:],
        lambda text: "",
        lambda text: "é" * 50,
    ],
)
def test_a_spoilt_token_is_refused_at_the_cost_of_one_look(
    spoil: object, tenant: Tenant, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    assert callable(spoil)
    spoilt = spoil(issue(tenant).text)
    with django_assert_num_queries(1):
        assert tokens.verify(spoilt) is None


def test_an_expired_token_is_refused(tenant: Tenant) -> None:
    issued = issue(tenant)
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert tokens.verify(issued.text) is None


def test_a_revoked_token_is_refused_and_the_audit_trail_knows_who_did_it(tenant: Tenant) -> None:
    issued = issue(tenant)
    tokens.revoke(issued.token, by="user:eve")
    tokens.revoke(issued.token, by="user:mallory")
    assert tokens.verify(issued.text) is None
    assert [entry.actor for entry in AuditEntry.objects.filter(action="token.revoke")] == [
        "user:eve"
    ]


def test_the_time_of_use_is_written_at_most_once_a_minute(tenant: Tenant) -> None:
    issued = issue(tenant)
    tokens.verify(issued.text)
    first = ApiToken.objects.get().last_used_at
    assert first is not None
    tokens.verify(issued.text)
    assert ApiToken.objects.get().last_used_at == first
    ApiToken.objects.update(last_used_at=first - timedelta(minutes=2))
    tokens.verify(issued.text)
    again = ApiToken.objects.get().last_used_at
    assert again is not None
    assert again >= first


def test_two_working_tokens_of_a_tenant_never_share_a_name(tenant: Tenant) -> None:
    first = issue(tenant)
    with pytest.raises(TokenNameTaken):
        issue(tenant)
    issue(Tenant.objects.create(slug="other"))
    tokens.revoke(first.token, by="user:eve")
    issue(tenant)


def test_a_token_without_a_tenant_is_a_platform_admins_or_nobodys() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        issue(None)
    assert tokens.issue(name="root", tenant=None, scopes=[Scope.ADMIN]).token.tenant is None


def test_an_unknown_scope_is_refused_before_anything_is_written(tenant: Tenant) -> None:
    with pytest.raises(ValueError, match="jobs:destroy"):
        tokens.issue(name="ci", tenant=tenant, scopes=["jobs:destroy"])
    assert not ApiToken.objects.exists()


def test_the_database_refuses_an_unknown_scope_as_well(tenant: Tenant) -> None:
    token = issue(tenant).token
    with pytest.raises(IntegrityError), transaction.atomic():
        ApiToken.objects.filter(pk=token.pk).update(scopes=["jobs:destroy"])


def test_admin_holds_every_scope_and_no_other_scope_holds_a_second() -> None:
    assert expand([Scope.ADMIN]) == EVERY_SCOPE
    for scope in EVERY_SCOPE - {Scope.ADMIN}:
        assert expand([scope]) == {scope}


def test_a_wrong_secret_costs_no_more_time_than_an_unknown_token(tenant: Tenant) -> None:
    """By turns each first, compared by medians: what other work on the machine takes, both pay."""
    known = issue(tenant).text
    wrong, unknown = known[:37] + "0" * 64, "cel_" + "0" * 32 + "_" + "0" * 64
    spent: dict[str, list[float]] = {wrong: [], unknown: []}
    turn = list(spent)
    for _ in range(400):
        turn.reverse()
        for text in turn:
            began = time.perf_counter()
            tokens.verify(text)
            spent[text].append(time.perf_counter() - began)
    ratio = median(spent[wrong]) / median(spent[unknown])
    assert 0.75 < ratio < 1.33, ratio

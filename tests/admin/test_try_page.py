"""/try/: for who is signed in, under a policy that lets nothing foreign in."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from accounts.models import Membership, Tenant
from accounts.roles import Role

pytestmark = pytest.mark.django_db


def _signed_in(**traits: Any) -> Client:
    person = get_user_model()._default_manager.create_user("ada", **traits)
    client = Client()
    client.force_login(person)
    return client


def test_a_stranger_is_asked_to_sign_in() -> None:
    answer = Client().get("/try/")
    assert (answer.status_code, answer["Location"]) == (302, "/admin/login/?next=/try/")


def test_the_policy_admits_the_own_host_only_and_the_page_has_no_inline_script() -> None:
    answer = _signed_in(is_staff=True, is_superuser=True).get("/try/")
    text = answer.content.decode()
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert text.count("<script") == text.count('<script type="module" src="/static/celeriac/')
    assert " style=" not in text


def test_who_is_a_member_nowhere_gets_a_page_and_no_tenant() -> None:
    answer = _signed_in(is_staff=True).get("/try/")
    assert answer.status_code == 200
    assert "data-tenant" not in answer.content.decode()


def test_a_member_chooses_among_the_own_tenants_only() -> None:
    client = _signed_in(is_staff=True)
    for slug in ("harbour", "orchard", "foreign"):
        tenant = Tenant.objects.create(slug=slug, name=slug)
        if slug != "foreign":
            person = get_user_model()._default_manager.get(username="ada")
            Membership.objects.create(user=person, tenant=tenant, role=Role.VIEWER)
    assert 'data-tenant="harbour"' in client.get("/try/").content.decode()
    assert 'data-tenant="orchard"' in client.get("/try/?tenant=orchard").content.decode()
    foreign = client.get("/try/?tenant=foreign").content.decode()
    assert 'data-tenant="harbour"' in foreign
    assert "foreign" not in foreign

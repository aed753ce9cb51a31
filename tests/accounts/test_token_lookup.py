"""The statement that is built once finds what the ORM finds."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from accounts import token_lookup, tokens
from accounts.models import ApiToken, Tenant

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("slug", ["acme", None])
def test_a_token_and_its_tenant_are_as_the_orm_reads_them(slug: str | None) -> None:
    tenant = Tenant.objects.create(slug=slug, max_queued=3, weight=7) if slug else None
    later = timezone.now() + timedelta(hours=1)
    issued = tokens.issue(name="one", tenant=tenant, scopes=["admin"], expires_at=later)
    digest = hashlib.sha256(issued.text.rpartition("_")[2].encode()).digest()
    found = token_lookup.found(issued.token.pk, digest)
    known = ApiToken.objects.select_related("tenant").get(pk=issued.token.pk)
    assert found is not None
    assert _everything(found) == _everything(known)
    assert (found.tenant and _everything(found.tenant)) == (tenant and _everything(known.tenant))
    assert token_lookup.found(UUID(int=0), digest) is None
    assert token_lookup.found(issued.token.pk, b"another") is None


def _everything(row: ApiToken | Tenant | None) -> dict[str, object]:
    assert row is not None
    values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    return {
        name: bytes(one) if isinstance(one, memoryview) else one for name, one in values.items()
    }

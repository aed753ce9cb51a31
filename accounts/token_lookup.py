"""The look at a token that every request begins with, and therefore the cheapest one."""

from __future__ import annotations

from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Model

from accounts.models import ApiToken, Tenant


def found(token_id: UUID, secret_sha256: bytes) -> ApiToken | None:
    """The token with this id and digest, its tenant with it. As the row is at this moment: what is
    revoked or changed counts from its commit on, in every process."""
    with connection.cursor() as cursor:
        cursor.execute(_statement(), [token_id, secret_sha256])
        row = cursor.fetchone()
    return None if row is None else _joined(row)


# The ORM would say the same, and takes longer to build the statement than the server to answer it.
@cache
def _statement() -> str:
    token, tenant = ApiToken._meta.db_table, Tenant._meta.db_table
    columns = ", ".join(
        f'"{model._meta.db_table}"."{column}"'
        for model in (ApiToken, Tenant)
        for column in _columns(model)
    )
    return (
        f'SELECT {columns} FROM "{token}" LEFT JOIN "{tenant}"'  # noqa: S608 (names of our models)
        f' ON "{tenant}"."id" = "{token}"."tenant_id"'
        f' WHERE "{token}"."id" = %s AND "{token}"."secret_sha256" = %s'
    )


@cache
def _columns(model: type[Model]) -> list[str]:
    return [str(field.column) for field in model._meta.concrete_fields]


@cache
def _names(model: type[Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


def _joined(row: tuple[Any, ...]) -> ApiToken:
    names = _names(ApiToken)
    token = ApiToken.from_db("default", names, row[: len(names)])
    held = token.tenant_id is not None
    token.tenant = Tenant.from_db("default", _names(Tenant), row[len(names) :]) if held else None
    return token

"""Whose jobs the figures of a request are about."""

from accounts.access import Access
from jobs.stats import Whose


def whose_of(access: Access) -> Whose:
    return Whose(tenant=access.tenant.pk if access.tenant else None, owner=access.principal.owner)

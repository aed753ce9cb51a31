"""Accounts in the Django admin. What changes something goes by the verbs that write an audit
entry."""

from accounts.admin import audit, members, people, sign_in, tenants, tokens

__all__ = ["audit", "members", "people", "sign_in", "tenants", "tokens"]

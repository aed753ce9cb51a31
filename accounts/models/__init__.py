from accounts.models.api_token import ApiToken
from accounts.models.audit_entry import AuditEntry
from accounts.models.idempotency_key import IdempotencyKey
from accounts.models.membership import Membership
from accounts.models.tenant import DEFAULT_TENANT, Tenant

__all__ = ["DEFAULT_TENANT", "ApiToken", "AuditEntry", "IdempotencyKey", "Membership", "Tenant"]

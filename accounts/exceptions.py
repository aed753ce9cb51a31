"""What can go wrong with accounts.

    AccountsError
    ├── TokenNameTaken      a working token of the tenant has this name
    ├── SlugTaken           a tenant has this slug
    ├── LastTenantAdmin     nobody in the tenant could manage it any more
    └── LastPlatformAdmin   nobody could manage the installation any more

The docstring of each is its message.
"""


class AccountsError(Exception):
    """Something went wrong with an account."""

    def __init__(self) -> None:
        super().__init__((self.__doc__ or "").strip())


class TokenNameTaken(AccountsError):
    """A token of this name is in use; revoke it, or choose another name."""


class SlugTaken(AccountsError):
    """A tenant has this slug already."""


class LastTenantAdmin(AccountsError):
    """This is the tenant's last admin. Make another one first, or ask a platform admin."""


class LastPlatformAdmin(AccountsError):
    """This is the last platform admin who can sign in. Make another one first."""

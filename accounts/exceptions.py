"""What can go wrong with accounts.

    AccountsError
    └── TokenNameTaken   a working token of the tenant has this name

The docstring of each is its message.
"""


class AccountsError(Exception):
    """Something went wrong with an account."""

    def __init__(self) -> None:
        super().__init__((self.__doc__ or "").strip())


class TokenNameTaken(AccountsError):
    """A token of this name is in use; revoke it, or choose another name."""

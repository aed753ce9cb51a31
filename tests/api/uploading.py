"""How the tests hand in a file."""

from __future__ import annotations

from tests.api.calling import Answer, Caller
from tests.support.forms import FORM, form, part


def upload(
    caller: Caller,
    content: bytes = b"some text",
    *,
    path: str = "/files",
    idempotency_key: str = "",
    **options: str,
) -> Answer:
    headers = {"idempotency_key": idempotency_key} if idempotency_key else {}
    return caller.send(path, form(part(content, **options)), content_type=FORM, **headers)

"""Bodies of multipart/form-data, well formed and not."""

from __future__ import annotations

BOUNDARY = "----a-boundary-42"
FORM = f"multipart/form-data; boundary={BOUNDARY}"


def part(
    content: bytes,
    *,
    name: str = "file",
    filename: str | None = "notes.txt",
    content_type: str = "text/plain",
) -> bytes:
    """One part as a browser writes it."""
    quoted = "" if filename is None else f'; filename="{filename}"'
    head = f'Content-Disposition: form-data; name="{name}"{quoted}\r\n'
    head += "" if filename is None else f"Content-Type: {content_type}\r\n"
    return head.encode("utf-8", "surrogatepass") + b"\r\n" + content


def form(*parts: bytes, end: bytes = b"--\r\n") -> bytes:
    """The parts between boundaries; `end` follows the last boundary."""
    line = b"--" + BOUNDARY.encode()
    return b"".join(line + b"\r\n" + one + b"\r\n" for one in parts) + line + end

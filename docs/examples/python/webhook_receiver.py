"""A receiver of webhooks to try: it checks who sent each, answers, and writes what happened.

    export WEBHOOK_SECRET=whsec_…
    python3 webhook_receiver.py 9000

It is one file to copy and needs nothing but Python. What came before it knows by the ids of the
last thousand; yours keeps them in its database.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import sys
import time
from collections import deque
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MOST_BYTES = 1024 * 1024  # Celeriac sends 256 KiB at most


def verify(secret: str, headers: Mapping[str, str], body: bytes) -> None:
    """Raises ValueError where this body was not sent, just now, by who knows the secret."""
    name, sent_at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not re.fullmatch("[0-9]{1,12}", sent_at) or abs(time.time() - int(sent_at)) > 300:
        raise ValueError("the timestamp is missing, or more than five minutes off")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{name}.{sent_at}.".encode() + body
    right = b"v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
    given = headers.get("webhook-signature", "").encode().split(b" ")
    if not any(hmac.compare_digest(right, one) for one in given):
        raise ValueError("no signature is right")


class Receiver(ThreadingHTTPServer):
    def __init__(self, port: int, secret: str) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.secret = secret
        self.seen: deque[str] = deque(maxlen=1000)


class Handler(BaseHTTPRequestHandler):
    server: Receiver
    timeout = 10  # seconds for which a silent sender is listened to

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not re.fullmatch("[0-9]{1,9}", length) or int(length) > MOST_BYTES:
            self.answer(413, "refused: no Content-Length, or more than 1 MiB")
            return
        body = self.rfile.read(int(length))  # as it came: bytes are signed, not what they mean
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            verify(self.server.secret, headers, body)
        except ValueError as error:
            self.answer(401, f"refused: {error}")
            return
        self.answer(200, self.taken(headers["webhook-id"], json.loads(body)))

    def taken(self, name: str, message: dict[str, Any]) -> str:
        again = name in self.server.seen
        self.server.seen.append(name)
        text = f"{message['event']} {message['data'].get('job_id', '')}".strip()
        return f"{text} (came before)" if again else text

    def answer(self, status: int, text: str) -> None:
        data = f"{text}\n".encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        tell(text)

    def log_message(self, format: str, *args: Any) -> None:
        """One line a request is enough."""


def tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    with Receiver(int(sys.argv[1]), os.environ["WEBHOOK_SECRET"]) as receiver:
        tell(f"listening on http://127.0.0.1:{receiver.server_port}")
        receiver.serve_forever()

"""Flower's application behind one gate."""

from typing import Any

from celery import Celery
from flower.app import Flower
from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.options import OptionParser
from tornado.web import OutputTransform, RequestHandler

from config.flower.links import Links
from config.flower.login import Logins
from config.flower.templates import with_our_links

HEALTH = "/healthcheck"

# Flower serves all it needs itself; nothing may frame its buttons.
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline'; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}


class GuardedFlower(Flower):  # type: ignore[misc]  # Flower has no types
    """Flower that asks for the login before it looks at the address.

    Flower guards most of its pages one by one, but not `/metrics`. Here only `/healthcheck`, which
    tells nothing but `OK`, is open.
    """

    def __init__(
        self, *, capp: Celery, options: OptionParser, logins: Logins, links: Links, **settings: Any
    ) -> None:
        super().__init__(
            capp=capp,
            options=options,
            template_loader=with_our_links(settings["template_path"]),
            ui_methods=links.for_templates(),
            **settings,
        )
        self.add_transform(_SafeHeaders)
        self._logins = logins
        prefix = (options.url_prefix or "").strip("/")
        self._open = f"/{prefix}{HEALTH}" if prefix else HEALTH

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        if request.path == self._open:
            return super().find_handler(request, **kwargs)
        if not self._logins.admit(request.headers.get("Authorization", "")):
            return self.get_handler_delegate(request, _AskForLogin)
        return super().find_handler(request, **kwargs)


class _AskForLogin(RequestHandler):
    """401 to every method; prepare() that finishes is the end of a request."""

    def prepare(self) -> None:
        self.set_status(401)
        self.set_header("WWW-Authenticate", 'Basic realm="Flower", charset="UTF-8"')
        self.finish("Flower needs a login.")

    def check_xsrf_cookie(self) -> None:
        """There is nothing here to forge."""


class _SafeHeaders(OutputTransform):
    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        for name, value in _HEADERS.items():
            headers[name] = value
        return status_code, headers, chunk

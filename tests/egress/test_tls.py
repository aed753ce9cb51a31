"""Certificates are always verified, for the name that the URL has."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import trustme
from pytest_django import Settings

from jobs.egress import Answer, Failure, Request, send
from tests.egress.fixtures import Names
from tests.support.answers import dripping_body, status
from tests.support.receiver import Receiver

NAME = "hooks.example"


@contextmanager
def serving(certificate: trustme.LeafCert, names: Names, settings: Settings) -> Iterator[Receiver]:
    """Reached as `NAME`, and allowed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    with Receiver(tls=context) as receiver:
        names[NAME] = ["127.0.0.1"]
        settings.EGRESS_ALLOW = [f"{NAME}:{receiver.port}", receiver.address]
        yield receiver


def called(receiver: Receiver, *, seconds: float = 60.0, host: str = NAME) -> Answer:
    return send(Request(url=f"https://{host}:{receiver.port}/", timeout_seconds=seconds))


def test_a_good_certificate_is_believed(
    authority: trustme.CA, names: Names, settings: Settings
) -> None:
    with serving(authority.issue_cert(NAME), names, settings) as receiver:
        receiver.answers(status(201, b"a" * 40_000))
        answer = called(receiver)

        assert (answer.status, answer.error, len(answer.body)) == (201, None, 40_000)
        assert receiver.received[0].headers["host"] == f"{NAME}:{receiver.port}"


def test_an_address_needs_a_certificate_for_itself(
    authority: trustme.CA, names: Names, settings: Settings
) -> None:
    with serving(authority.issue_cert("127.0.0.1"), names, settings) as receiver:
        assert called(receiver, host="127.0.0.1").status == 200
        assert called(receiver).error == Failure.TLS


def test_the_name_is_told_to_the_server(
    authority: trustme.CA, names: Names, settings: Settings
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(NAME).configure_cert(context)
    told: list[str] = []
    context.sni_callback = lambda line, name, at: told.append(name)
    with Receiver(tls=context) as receiver:
        names[NAME] = ["127.0.0.1"]
        settings.EGRESS_ALLOW = [f"{NAME}:{receiver.port}"]

        assert called(receiver).status == 200
    assert told == [NAME]


def test_a_bad_certificate_gets_no_request(
    authority: trustme.CA, names: Names, settings: Settings
) -> None:
    past = datetime.now(UTC) - timedelta(days=1)
    bad = {
        "expired": authority.issue_cert(NAME, not_after=past),
        "for another name": authority.issue_cert("other.example"),
        "for a name below": authority.issue_cert(f"*.{NAME}"),
        "by its common name alone": authority.issue_cert("other.example", common_name=NAME),
        "of an authority unknown": trustme.CA().issue_cert(NAME),
    }
    for what, certificate in bad.items():
        with serving(certificate, names, settings) as receiver:
            answer = called(receiver)

            assert answer.error == Failure.TLS, what
            assert "certificate" in answer.message
            assert receiver.received == []


def test_an_authority_of_the_tests_is_not_believed_without_the_setting(
    authority: trustme.CA, names: Names, settings: Settings
) -> None:
    settings.EGRESS_CA_FILE = ""
    with serving(authority.issue_cert(NAME), names, settings) as receiver:
        assert called(receiver).error == Failure.TLS


def test_old_versions_of_tls_are_not_spoken(
    authority: trustme.CA, names: Names, settings: Settings
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(NAME).configure_cert(context)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the versions, which is the point
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with Receiver(tls=context) as receiver:
        names[NAME] = ["127.0.0.1"]
        settings.EGRESS_ALLOW = [f"{NAME}:{receiver.port}"]

        assert called(receiver).error == Failure.TLS


def test_a_server_without_tls_is_no_match_for_https(receiver: Receiver) -> None:
    """It reads a request that is none, and hangs up."""
    assert called(receiver, host="127.0.0.1").error in (Failure.TLS, Failure.CONNECTION_LOST)
    assert receiver.received == []


def test_a_slow_answer_under_tls_is_left_in_time(
    authority: trustme.CA, names: Names, settings: Settings
) -> None:
    with serving(authority.issue_cert(NAME), names, settings) as receiver:
        receiver.answers(dripping_body)
        answer = called(receiver, seconds=1.0)

    assert answer.error == Failure.TIMED_OUT
    assert 1.0 <= answer.duration_seconds < 30

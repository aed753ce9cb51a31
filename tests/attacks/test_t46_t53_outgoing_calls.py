"""T46-T53: URLs of strangers that are to lead a call inside. Each is refused when it is saved and
again when it is called, and what an answer says changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path

import pytest
from pytest_django import Settings

from jobs import egress
from jobs.egress import Answer, Failure, RefusedURL, Request, check_url, connection, lines
from jobs.egress import names as naming
from jobs.egress.checking import forget_verdicts
from tests.egress.connects import connects
from tests.egress.fixtures import Names, names, no_verdicts, receiver
from tests.egress.forms import FORMS
from tests.support.answers import redirect, status
from tests.support.receiver import Receiver

__all__ = ["names", "no_verdicts", "receiver"]

PUBLIC = "93.184.215.14"
FORM = pytest.mark.parametrize("form", FORMS, ids=range(len(FORMS)))


def called(url: str, **more: float) -> Answer:
    return egress.send(Request(url=url, **more))  # type: ignore[arg-type]


@FORM
def test_t46_t47_t48_no_form_is_saved(form: str, names: Names) -> None:
    names["public.example"] = [PUBLIC]

    with connects() as tried, pytest.raises(RefusedURL) as refused:
        check_url(form.replace("PORT", "8080"))

    assert tried == []
    assert refused.value.reason.isprintable()
    assert len(refused.value.reason) < 100


@FORM
def test_t46_t47_t48_no_form_is_called(form: str, names: Names) -> None:
    """Whatever was saved before the rule was there."""
    names["public.example"] = [PUBLIC]
    with Receiver() as inside, connects() as tried:
        answer = called(form.replace("PORT", str(inside.port)))

        assert answer.error == Failure.BLOCKED_ADDRESS
        assert answer.address is None
        assert tried == []
        assert inside.connections == 0


@FORM
def test_t50_no_form_is_reached_by_a_redirect(form: str, receiver: Receiver) -> None:
    with Receiver() as inside:
        to = form.replace("PORT", str(inside.port))
        header = to.encode("utf-8", "replace").decode("latin-1").translate({10: " ", 13: " "})
        for code in (301, 302, 303, 307, 308):
            receiver.answers(redirect(header, code))
            with connects() as tried:
                answer = called(receiver.url)

            assert (answer.status, answer.error) == (code, None)
            assert tried == [("127.0.0.1", receiver.port)]
        assert inside.connections == 0


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_t50_a_redirect_to_itself_is_an_answer(code: int, receiver: Receiver) -> None:
    receiver.answers(redirect(receiver.url, code))

    answer = called(receiver.url)

    assert answer.status == code
    assert answer.headers["location"] == receiver.url
    assert receiver.connections == 1


@pytest.mark.parametrize(
    "found",
    [
        ["127.0.0.1"],
        [PUBLIC, "127.0.0.1"],
        ["127.0.0.1", PUBLIC],
        [PUBLIC, "::1"],
        [PUBLIC, "fe80::1%lo"],
        [PUBLIC, "10.0.0.1"],
        [PUBLIC, "::ffff:10.0.0.1"],
    ],
)
def test_t49_a_name_with_one_address_inside_is_refused_whole(
    found: Sequence[str], names: Names
) -> None:
    names["mixed.example"] = found

    with connects() as tried:
        with pytest.raises(RefusedURL):
            check_url("https://mixed.example/")
        assert called("https://mixed.example/").error == Failure.BLOCKED_ADDRESS

    assert tried == []


def test_t49_the_name_of_this_machine_is_refused_by_the_systems_own_resolver() -> None:
    with Receiver() as inside:
        with pytest.raises(RefusedURL):
            check_url(f"http://localhost:{inside.port}/")
        answer = called(f"http://LocalHost.:{inside.port}/")

        assert answer.error == Failure.BLOCKED_ADDRESS
        assert inside.connections == 0


def test_t49_a_name_that_changes_between_saving_and_calling_reaches_nothing(
    names: Names,
) -> None:
    """A thousand times, with a public address first and then one of this machine, alone or beside
    the public one."""
    then = cycle([["127.0.0.1"], [PUBLIC, "127.0.0.1"], ["127.0.0.1", PUBLIC], ["::1"]])
    with Receiver() as inside, connects() as tried:
        url = f"http://rebinding.example:{inside.port}/"
        for _ in range(1_000):
            forget_verdicts()
            names["rebinding.example"] = [PUBLIC]
            check_url(url)
            names["rebinding.example"] = next(then)
            assert called(url).error == Failure.BLOCKED_ADDRESS

        assert names.asked == 2_000
        assert tried == []
        assert inside.connections == 0


def test_t49_a_name_that_changes_during_a_call_was_asked_for_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A thousand times: the connection goes to the address that was looked at, and to no other."""
    answers = cycle([[PUBLIC], ["127.0.0.1"]])
    asked: list[str] = []
    tried: list[str] = []

    def flipping(name: str) -> Sequence[str]:
        asked.append(name)
        return next(answers)

    def refusing(address: str, *_: object, **__: object) -> lines.BoundedSocket:
        tried.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(naming, "resolver", flipping)
    monkeypatch.setattr(connection, "connected", refusing)
    seen = [called("http://rebinding.example/").error for _ in range(1_000)]

    assert seen == [Failure.CONNECTION_REFUSED, Failure.BLOCKED_ADDRESS] * 500
    assert len(asked) == 1_000
    assert set(tried) == {PUBLIC}


def test_t51_neither_proxies_nor_netrc_nor_cookies_are_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password mine\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    receiver.answers(status(200, headers={"Set-Cookie": "a=b"}))
    with Receiver() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://{proxy.address}")

        assert [called(receiver.url).status for _ in range(2)] == [200, 200]
        assert proxy.connections == 0
    for request in receiver.received:
        assert {"authorization", "cookie", "proxy-authorization"}.isdisjoint(request.headers)


def test_t51_no_connection_serves_two_calls(receiver: Receiver) -> None:
    for _ in range(3):
        called(receiver.url)

    assert receiver.connections == 3
    assert {request.headers["connection"] for request in receiver.received} == {"close"}


def test_t53_only_what_the_operator_allows_is_reached_by_exact_host_and_port(
    settings: Settings, names: Names
) -> None:
    names["ours.example"] = ["127.0.0.1"]
    names["theirs.example"] = ["127.0.0.1"]
    with Receiver() as inside, Receiver() as other:
        settings.EGRESS_ALLOW = [f"OURS.example:{inside.port}"]

        check_url(f"http://ours.example:{inside.port}/")
        assert called(f"http://ours.example:{inside.port}/").status == 200
        for elsewhere in (
            f"http://ours.example:{other.port}/",
            f"http://theirs.example:{inside.port}/",
            f"http://127.0.0.1:{inside.port}/",
        ):
            with pytest.raises(RefusedURL):
                check_url(elsewhere)
            assert called(elsewhere).error == Failure.BLOCKED_ADDRESS
        assert (inside.connections, other.connections) == (1, 0)


def test_t53_what_the_operator_has_for_a_model_is_not_open_to_others(settings: Settings) -> None:
    with Receiver() as model:
        settings.OLLAMA_BASE_URL = f"http://{model.address}"

        assert egress.send(Request(url=model.url, of_operator=True)).status == 200
        assert called(model.url).error == Failure.BLOCKED_ADDRESS

"""What is refused when a URL is saved."""

from __future__ import annotations

import threading

import pytest
from pytest_django import Settings

from jobs.egress import RefusedURL, check_url, checking
from jobs.egress import names as naming
from jobs.egress.checking import forget_verdicts
from tests.egress.fixtures import Names

PUBLIC = "93.184.215.14"


@pytest.mark.parametrize("port", [80, 443, 1024, 8000, 8080, 8443, 65535])
def test_ports_of_the_web_and_high_ones_are_taken(port: int, names: Names) -> None:
    names["a.example"] = [PUBLIC]

    check_url(f"https://a.example:{port}/")


@pytest.mark.parametrize(
    "port", [1, 21, 22, 23, 25, 53, 81, 110, 389, 445, 1023, 2375, 3306, 5432, 6379, 9200, 11211,
             27017]
)  # fmt: skip
def test_ports_of_other_services_are_refused_unless_the_operator_allows_them(
    port: int, names: Names, settings: Settings
) -> None:
    names["a.example"] = [PUBLIC]
    with pytest.raises(RefusedURL, match="port"):
        check_url(f"https://a.example:{port}/")

    settings.EGRESS_ALLOW = [f"a.example:{port}"]

    check_url(f"https://a.example:{port}/")


def test_a_name_that_is_not_known_is_taken(names: Names) -> None:
    check_url("https://not-yet.example/")

    assert names.asked == 1


def test_a_name_that_nobody_tells_in_time_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(naming, "resolver", lambda name: over.wait(60) and ["127.0.0.1"])
    monkeypatch.setattr(checking, "_CHECK_SECONDS", 0.05)

    check_url("https://slow.example/")

    over.set()


def test_what_was_found_of_a_host_is_kept_for_a_while(names: Names) -> None:
    names["inside.example"] = ["10.0.0.1"]
    for _ in range(3):
        with pytest.raises(RefusedURL):
            check_url("https://inside.example/")
        check_url("https://not-yet.example/a")
        check_url("https://not-yet.example:8443/b")

    assert names.asked == 2


def test_what_was_found_is_looked_for_anew_later(
    names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "_KEPT_SECONDS", 0.0)
    check_url("https://a.example/")
    names["a.example"] = ["127.0.0.1"]

    with pytest.raises(RefusedURL):
        check_url("https://a.example/")


def test_only_so_much_is_kept(names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "_MOST_KEPT", 10)
    for count in range(25):
        check_url(f"https://name{count}.example/")

    assert len(checking._verdicts._kept) == 10
    forget_verdicts()


def test_entries_that_cannot_be_read_allow_nothing(settings: Settings) -> None:
    settings.EGRESS_ALLOW = ["127.0.0.1", "http://127.0.0.1:8080", "*:8080", "127.0.0.0/8:8080"]

    with pytest.raises(RefusedURL):
        check_url("http://127.0.0.1:8080/")


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ("localhost:8080", "http://LOCALHOST.:8080/"),
        ("127.0.0.1:8080", "http://127.1:8080/"),
        ("[::1]:8080", "http://[0:0::1]:8080/"),
        (" 10.0.0.1:443 ", "https://10.0.0.1/"),
        ("10.0.0.1:80", "http://10.0.0.1"),
    ],
)
def test_an_entry_is_compared_by_what_it_means(entry: str, url: str, settings: Settings) -> None:
    settings.EGRESS_ALLOW = [entry]

    check_url(url)

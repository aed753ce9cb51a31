"""What a URL is read as."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.egress import RefusedURL, parse
from jobs.egress.url import Target


@pytest.mark.parametrize(
    ("url", "meaning"),
    [
        ("http://example.com", "http example.com 80 /"),
        ("HTTPS://Example.COM", "https example.com 443 /"),
        ("https://example.com.:8443/a/b?c=d", "https example.com 8443 /a/b?c=d"),
        ("http://example.com?a=b", "http example.com 80 /?a=b"),
        ("http://a.example/%2e?u=http://[::1]/@", "http a.example 80 /%2e?u=http://[::1]/@"),
        ("http://example.com:00080/", "http example.com 80 /"),
        ("http://my_service:8000/hook", "http my_service 8000 /hook"),
        ("http://bücher.example/", "http xn--bcher-kva.example 80 /"),
        ("http://BÜCHER.example/", "http xn--bcher-kva.example 80 /"),
        ("http://1.1/", "http 1.0.0.1 80 /"),
        ("http://0x08080808:8080/", "http 8.8.8.8 8080 /"),
        ("http://[2606:4700:0:0::1111]:81/", "http 2606:4700::1111 81 /"),
    ],
)  # fmt: skip
def test_it_is_read_in_one_way(url: str, meaning: str) -> None:
    target = parse(url)

    assert f"{target.scheme} {target.host} {target.port} {target.path}" == meaning


def test_the_longest_is_taken() -> None:
    url = "http://example.com/"
    longest = url + "a" * (2_048 - len(url))

    assert parse(longest).path.endswith("a")
    with pytest.raises(RefusedURL, match="2,048"):
        parse(longest + "a")


def meant_by_system(text: str) -> str | None:
    try:
        return socket.inet_ntoa(socket.inet_aton(text))
    except OSError:
        return None


def read(url: str) -> Target | RefusedURL:
    try:
        return parse(url)
    except RefusedURL as refused:
        return refused


@given(st.text(alphabet="0123456789abcdefxX.", min_size=1, max_size=20))
def test_numbers_are_the_address_that_the_system_takes_them_for(text: str) -> None:
    """What the system reads as an address is never taken for a name, and the other way round."""
    target = read(f"http://{text}/")
    if (meant := meant_by_system(text)) is not None:
        assert isinstance(target, Target)
        assert (target.host, target.is_address) == (meant, True)
    elif isinstance(target, Target) and target.is_address:
        assert target.host == meant_by_system(text.removesuffix("."))


@given(st.text(max_size=40), st.sampled_from(["", "http://", "https://a.example", "http://["]))
def test_any_text_is_read_or_refused_in_a_printable_sentence(text: str, before: str) -> None:
    target = read(before + text)
    if isinstance(target, RefusedURL):
        assert target.reason.isprintable()
    else:
        assert target.host.isascii()
        assert target.path.isascii()
        assert target.path.isprintable()
        assert " " not in target.path

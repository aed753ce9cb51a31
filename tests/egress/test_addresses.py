"""Which addresses are public, compared with Python's own opinion."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.egress.addresses import is_public


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "8.8.8.8", "93.184.215.14", "172.15.0.1", "172.32.0.1", "100.63.0.1", "223.1.1.1",
     "2606:4700:4700::1111", "2a00:1450:4001::1", "2001:4860:4860::8888"],
)  # fmt: skip
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "text", ["", "example.com", "1.2.3", "::1%lo", "2606:4700::1%eth0", "[::1]"]
)
def test_what_is_no_plain_address_is_not(text: str) -> None:
    assert not is_public(text)


@given(st.ip_addresses(v=4))
def test_nothing_is_public_that_python_holds_for_private_v4(address: IPv4Address) -> None:
    if is_public(str(address)):
        assert address.is_global
        assert not address.is_multicast


@given(st.ip_addresses(v=6))
def test_nothing_is_public_that_python_holds_for_private_v6(address: IPv6Address) -> None:
    if is_public(str(address)):
        assert address.is_global
        assert not address.is_multicast
        assert (address.ipv4_mapped, address.sixtofour, address.teredo) == (None, None, None)


@given(
    st.ip_addresses(v=4),
    st.sampled_from(["::", "::ffff:", "::ffff:0:", "64:ff9b::", "64:ff9b:1::", "64:ff9b:1:8::"]),
)
def test_no_address_of_ipv4_inside_ipv6_is_public(inner: IPv4Address, before: str) -> None:
    assert not is_public(f"{before}{inner}")

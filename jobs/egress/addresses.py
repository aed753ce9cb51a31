"""Which addresses are public: anybody's on the internet, and nobody's in particular here.

The table is our own. `ipaddress.is_global` differs between versions of Python, and lets through
ways of writing IPv4 inside IPv6 that a gateway would follow inwards.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address

_DENIED_4 = tuple(
    IPv4Network(net)
    for net in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # behind a carrier's NAT; some clouds' own services
        "127.0.0.0/8",  # this machine
        "168.63.129.16/32",  # a public number that is inside of one cloud
        "169.254.0.0/16",  # this link; clouds' metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
# All that is assigned for use on the internet lies in here: neither ::1, ::, fc00::/7, fe80::/10,
# fec0::/10, ff00::/8, 5f00::/16, 100::/64, nor IPv4 as ::a.b.c.d, ::ffff:a.b.c.d,
# ::ffff:0:a.b.c.d, 64:ff9b::a.b.c.d or 64:ff9b:1::/48.
_UNICAST_6 = IPv6Network("2000::/3")
_DENIED_6 = tuple(
    IPv6Network(net)
    for net in (
        "2001::/23",  # protocol assignments: Teredo, which has an IPv4 address inside, ORCHID …
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address inside
        "3fff::/20",  # documentation
    )
)


def is_public(address: str) -> bool:
    """Whether a call may go there; `address` as the system writes it, a zone is never public."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv4Address):
        return not any(parsed in net for net in _DENIED_4)
    if parsed.scope_id is not None or parsed not in _UNICAST_6:
        return False
    return not any(parsed in net for net in _DENIED_6)

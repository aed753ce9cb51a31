"""Links and ranges: what can be followed, for how long, and which part of a file is meant."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from pytest_django import Settings

from jobs.artifacts import links
from jobs.artifacts.ranges import Span, Unsatisfiable, span_of

ID, OTHER = UUID(int=1), UUID(int=2)
NOW = 1_800_000_000.5


def link(tenant: int = 7) -> str:
    return parse_qs(urlsplit(links.address(ID, tenant, now=NOW)).query)["link"][0]


def test_a_link_is_an_address_of_this_installation(settings: Settings) -> None:
    settings.PUBLIC_URL = "https://jobs.example.org/"
    assert links.address(ID, 7).startswith(f"https://jobs.example.org/api/v1/artifacts/{ID}?link=")


def test_a_link_is_good_for_its_artifact_its_tenant_and_its_time_only(settings: Settings) -> None:
    settings.LINK_SECONDS = 60
    good = links.opened(link(), ID, now=NOW + 49)
    assert good is not None
    assert (good.tenant_id, 10 <= good.seconds <= 11) == (7, True)
    assert links.opened(link(), ID, now=NOW + 60) is None
    assert links.opened(link(), OTHER, now=NOW) is None
    words, signature = link().split(":")
    tenant, until = map(int, words.split("-"))
    for changed in (f"{tenant + 1}-{until}", f"{tenant}-{until + 1}"):
        assert links.opened(f"{changed}:{signature}", ID, now=NOW) is None


@pytest.mark.parametrize(
    "text", ["", ":", "x", "9999999999", "9999999999:x", "é:é", "1.7.2:x", "7-9999999999:x"]
)
def test_what_is_no_link_is_no_good_one(text: str) -> None:
    assert links.opened(text, ID, now=NOW) is None


def test_a_link_of_a_former_key_is_good_until_its_end(settings: Settings) -> None:
    made, former = link(), settings.SECRET_KEY
    settings.SECRET_KEY = "another key, long enough for anybody who looks at it"
    assert links.opened(made, ID, now=NOW) is None
    settings.SECRET_KEY_FALLBACKS = [former]
    assert links.opened(made, ID, now=NOW)


@pytest.mark.parametrize(
    ("header", "span"),
    [
        (None, None),
        ("", None),
        ("bytes=0-", Span(0, 10)),
        ("bytes=0-0", Span(0, 1)),
        ("bytes=3-5", Span(3, 3)),
        ("bytes=3-500", Span(3, 7)),
        ("bytes=9-", Span(9, 1)),
        ("bytes=-4", Span(6, 4)),
        ("bytes=-400", Span(0, 10)),
        ("bytes=5-3", None),
        ("bytes=-", None),
        ("bytes=0-1,3-4", None),
        ("lines=0-1", None),
        ("bytes=a-b", None),
        ("bytes=٣-٥", None),
        ("bytes=" + "9" * 19 + "-", None),
    ],
)
def test_a_range_is_one_part_or_the_whole(header: str | None, span: Span | None) -> None:
    assert span_of(header, 10) == span


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=10-20", "bytes=-0"])
def test_a_range_behind_the_end_cannot_be_had(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        span_of(header, 10)

"""How many streams one web process holds, and one tenant of them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import requests
from websockets.exceptions import InvalidStatus

from accounts.models import Tenant
from tests.browser.site import Site
from tests.live.watching import Watch
from tests.support.waiting import wait_for

pytestmark = pytest.mark.timeout(400)  # the first one waits until all programs are up
MOST = 4


@pytest.fixture
def small(site: Site) -> Iterator[Site]:
    """A web process that holds few streams, beside the other one."""
    small = Site(site.arena, RATE_LIMIT_ENABLED="0", LIVE_STREAMS=str(MOST))
    small.start_web()
    yield small
    small.web.clear_away()


@pytest.fixture
def watches(small: Site) -> Iterator[list[Watch]]:
    """Of three tenants."""
    with ExitStack() as open_:
        names = [f"bound-{uuid.uuid4().hex[:8]}" for _ in range(3)]
        yield [
            open_.enter_context(Watch(small, tenant=Tenant.objects.create(slug=name)))
            for name in names
        ]


def answer_to(watch: Watch) -> requests.Response:
    with watch.ask("GET", "/events?only=named", stream=True) as answer:
        if answer.status_code != 200:
            assert answer.content  # it can be read later, too
        return answer


def test_one_tenant_holds_half_of_the_streams_and_all_together_no_more(
    watches: list[Watch],
) -> None:
    first, second, third = watches
    mine = [first.stream(only="named") for _ in range(MOST // 2)]
    refusal = answer_to(first)
    assert refusal.status_code == 503
    assert int(refusal.headers["Retry-After"]) > 0
    assert refusal.headers["Content-Type"] == "application/problem+json"
    assert refusal.json()["instance"] == "/api/v1/events"

    second.stream(only="named")
    second.socket("?only=named")
    with pytest.raises(InvalidStatus) as refused:
        third.socket("?only=named")
    assert refused.value.response.status_code == 503
    assert answer_to(third).status_code == 503
    mine[0].close()
    wait_for(
        lambda: answer_to(third).status_code == 200, seconds=60, what="there is room for another"
    )

"""The browser client on a network that fails it, before a server that a test can make do so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.fake import Fake
from tests.browser.visit import PATIENCE
from tests.support.waiting import wait_for

_LOAD = """async (options) => {
    const { Celeriac, CeleriacError } = await import('/static/celeriac/celeriac.js');
    window.CeleriacError = CeleriacError;
    window.celeriac = new Celeriac({ pollSeconds: 0.3, ...options });
}"""
# Keeps what is heard of each job in `heard`, by job; `states` are those of all.
_WATCH = """([id, options]) => {
    window.heard ??= {};
    window.states ??= [];
    window.ends ??= {};
    heard[id] = [];
    const watch = celeriac.watch(id, {
        ...options,
        onEvent: (event) => heard[id].push(event),
        onState: (state) => states.push(state),
    });
    const refused = (error) => { ends[id] = { failed: error.status }; };
    watch.ended.then((job) => { ends[id] = job; }, refused);
}"""


@pytest.fixture
def fake() -> Iterator[Fake]:
    with Fake().at_work() as fake:
        yield fake


@pytest.fixture
def page(browser: Browser, fake: Fake) -> Iterator[Page]:
    """On the fake's own host, with a client loaded. No error may go uncaught."""
    with browser.new_context(base_url=fake.url) as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto("/")
        page.evaluate(_LOAD, {})
        yield page
    assert not errors


def _watch(page: Page, job: dict[str, Any], **options: Any) -> None:
    page.evaluate(_WATCH, [job["id"], options])


def _heard(page: Page, job: dict[str, Any]) -> list[dict[str, Any]]:
    heard: list[dict[str, Any]] = page.evaluate("id => heard[id]", job["id"])
    return heard


def _wait(page: Page, job: dict[str, Any], condition: str) -> None:
    """Until `condition`, of the events `heard` of this job, holds in the page."""
    page.wait_for_function(f"id => {{ const all = heard[id]; return {condition}; }}", arg=job["id"])


def _end(page: Page, job: dict[str, Any]) -> dict[str, Any]:
    page.wait_for_function("id => ends[id]", arg=job["id"])
    end: dict[str, Any] = page.evaluate("id => ends[id]", job["id"])
    return end


def _goes_through(page: Page, fake: Fake, job: dict[str, Any]) -> None:
    """From its first snapshot to its end."""
    _wait(page, job, "all.length > 0")
    fake.happen(job, "job.started", status="processing")
    fake.happen(job, "job.progress", progress=50)
    _wait(page, job, "all.at(-1).data.progress === 50")
    fake.happen(job, "job.completed", status="completed", progress=100)
    assert _end(page, job)["status"] == "completed"


def _names(page: Page, job: dict[str, Any]) -> list[str]:
    return [one["event"] for one in _heard(page, job)]


_WHOLE = ["job.snapshot", "job.started", "job.progress", "job.completed"]


@pytest.mark.parametrize("transport", ["auto", "websocket", "sse"])
def test_each_event_is_heard_once_and_in_order(page: Page, fake: Fake, transport: str) -> None:
    fake.repeats = True
    job = fake.job()
    _watch(page, job, transport=transport)
    _goes_through(page, fake, job)
    names = _names(page, job)
    assert [name for name in names if name != "job.snapshot"] == _WHOLE[1:]
    assert bool(fake.opened) == (transport != "sse")


def test_many_jobs_are_watched_over_one_connection(page: Page, fake: Fake) -> None:
    jobs = [fake.job() for _ in range(8)]
    for job in jobs:
        _watch(page, job)
    for job in jobs:
        _goes_through(page, fake, job)
        assert _names(page, job) == _WHOLE
    assert len(fake.opened) == 1
    assert fake.count("GET", "/api/v1/events") == 0


def test_a_connection_for_jobs_by_name_is_told_of_no_other_and_unsaid_when_left(
    page: Page, fake: Fake
) -> None:
    fake.job()
    job, other = fake.job(), fake.job()
    page.evaluate(_LOAD, {"token": "cel_secret"})
    page.evaluate("() => { window.stop = new AbortController(); }")
    page.evaluate("id => { celeriac.watch(id, { signal: stop.signal }); }", job["id"])
    for one in (job, other):
        _watch(page, one)
        _wait(page, one, "all.length > 0")
    (query,) = fake.opened
    assert query == {"only": "named", "ticket": query["ticket"]}
    (asked,) = [one for one in fake.asked if one.path == "/api/v1/events/ticket"]
    assert asked.body == {}
    page.evaluate("stop.abort()")
    fake.happen(other, "job.completed", status="completed")
    assert _end(page, other)["status"] == "completed"
    wait_for(lambda: _unsaid(fake), seconds=30, what="the ended job is unsaid")
    assert _unsaid(fake) == [other["id"]]  # of the job left by one of two, the other still hears
    fake.happen(job, "job.completed", status="completed")
    assert _end(page, job)["status"] == "completed"
    wait_for(lambda: len(_unsaid(fake)) == 2, seconds=30, what="the second is unsaid too")


def _unsaid(fake: Fake) -> list[str]:
    return [one["unsubscribe"]["job_id"] for one in fake.subscriptions if "unsubscribe" in one]


@pytest.mark.parametrize("transport", ["websocket", "sse"])
def test_every_place_in_line_is_heard_once(page: Page, fake: Fake, transport: str) -> None:
    fake.repeats = True
    page.evaluate(_LOAD, {"pollSeconds": 3600, "safetySeconds": 3600})
    job = fake.job(position=4)
    _watch(page, job, transport=transport)
    _wait(page, job, "all.length > 0")
    for position in (3, 2, 3, 1):  # all of them with one id: nothing else happens to the tenant
        fake.move(job, position)
    _wait(page, job, "all.at(-1).data.position === 1")
    told = [one["data"]["position"] for one in _heard(page, job) if one["event"] == "job.position"]
    assert told == [3, 2, 3, 1]


def test_a_stream_that_only_says_what_is_known_proves_nothing(page: Page, fake: Fake) -> None:
    """A repetition is no sign that the watch still hears: the state is asked for all the same."""
    page.evaluate(_LOAD, {"pollSeconds": 3600, "safetySeconds": 3600})
    job = fake.job()
    moved = page.evaluate(
        """async id => {
            const { Watch } = await import('/static/celeriac/client/watch.js');
            const watch = new Watch({ job_id: id });
            const event = { event: 'job.started', id: '1-1', data: { id, status: 'processing' } };
            watch.hear(event);
            watch.heardAt = 0;
            watch.hear(event);
            const repeated = watch.heardAt;
            watch.hear({ ...event, event: 'job.progress', id: '1-2' });
            return [repeated, watch.heardAt > 0];
        }""",
        job["id"],
    )
    assert moved == [0, True]


def test_a_subscription_that_is_refused_for_now_is_asked_for_again(page: Page, fake: Fake) -> None:
    page.evaluate(_LOAD, {"pollSeconds": 3600, "safetySeconds": 3600})
    fake.errors = [503, 503]
    job = fake.job()
    _watch(page, job)
    _goes_through(page, fake, job)
    assert _names(page, job) == _WHOLE
    assert len(fake.opened) == 1


def test_a_subscription_to_a_job_that_may_not_be_seen_ends_the_watch(
    page: Page, fake: Fake
) -> None:
    page.evaluate(_LOAD, {"pollSeconds": 3600, "safetySeconds": 3600})
    fake.errors = [404]
    job, other = fake.job(), fake.job()
    _watch(page, job)
    assert _end(page, job) == {"failed": 404}
    _watch(page, other)
    _goes_through(page, fake, other)
    assert len(fake.opened) == 1


def test_a_job_that_the_connection_does_not_take_is_heard_by_a_stream_of_its_own(
    page: Page, fake: Fake
) -> None:
    page.evaluate(_LOAD, {"pollSeconds": 3600, "safetySeconds": 3600})
    fake.errors = [422]
    job, other = fake.job(), fake.job()
    _watch(page, job)
    wait_for(lambda: fake.count("GET", "/api/v1/events"), seconds=30, what="a stream is opened")
    _watch(page, other)
    for one in (job, other):
        _goes_through(page, fake, one)
    assert fake.count("GET", "/api/v1/events") == 1
    assert len(fake.opened) == 1


def test_at_the_end_of_the_stream_an_end_that_was_not_told_is_asked_for(
    page: Page, fake: Fake
) -> None:
    page.evaluate(_LOAD, {"pollSeconds": 3600, "safetySeconds": 3600})
    job = fake.job("processing")
    _watch(page, job)
    _wait(page, job, "all.length > 0")
    fake.change(job, status="completed")
    fake.end(job)
    assert _end(page, job)["status"] == "completed"


@pytest.mark.parametrize("code", [1012, 1013])
def test_a_server_that_stops_is_come_back_to_by_the_same_way(
    page: Page, fake: Fake, code: int
) -> None:
    fake.closes = [code] * 3
    job = fake.job()
    _watch(page, job, transport="auto")
    page.wait_for_function("states.at(-1) === 'live'")
    _goes_through(page, fake, job)
    assert fake.count("GET", "/api/v1/events") == 0


def test_a_token_that_is_no_longer_good_ends_the_watch(page: Page, fake: Fake) -> None:
    page.evaluate(_LOAD, {"pollSeconds": 3600, "safetySeconds": 3600})
    job = fake.job()
    _watch(page, job)
    _wait(page, job, "all.length > 0")
    fake.cut(code=1008)
    assert _end(page, job) == {"failed": 401}


def test_after_an_outage_events_are_heard_live_again_and_not_only_asked_for(
    page: Page, fake: Fake
) -> None:
    job = fake.job()
    _watch(page, job)
    _wait(page, job, "all.length > 0")
    fake.takes_sockets = fake.takes_streams = fake.answers = False
    fake.cut()
    wait_for(lambda: len(fake.opened) >= 4, seconds=60, what="a WebSocket is tried a third time")
    fake.takes_sockets = fake.takes_streams = fake.answers = True
    page.wait_for_function("states.at(-1) === 'live'")
    _goes_through(page, fake, job)


@pytest.mark.parametrize("transport", ["websocket", "sse"])
def test_what_happened_while_while_the_connection_was_lost_is_heard_after_it(
    page: Page, fake: Fake, transport: str
) -> None:
    job = fake.job()
    page.evaluate(_LOAD, {"pollSeconds": 3600})  # so that nothing but the stream can tell
    _watch(page, job, transport=transport)
    _wait(page, job, "all.length > 0")
    fake.happen(job, "job.started", status="processing")
    _wait(page, job, "all.length > 1")
    fake.takes_sockets = fake.takes_streams = False
    fake.cut()
    fake.happen(job, "job.progress", progress=25)
    fake.takes_sockets = fake.takes_streams = True
    fake.happen(job, "job.completed", status="completed")
    assert _end(page, job)["status"] == "completed"
    heard = [one for one in _heard(page, job) if one["event"] != "job.snapshot"]
    assert {"job.started", "job.completed"} <= {one["event"] for one in heard}
    assert len({one["id"] for one in heard if one["id"]}) == len([1 for one in heard if one["id"]])


def test_what_happened_to_any_job_meanwhile_is_heard_after_it_too(page: Page, fake: Fake) -> None:
    job = fake.job()
    page.evaluate(_LOAD, {"pollSeconds": 3600, "safetySeconds": 3600})
    page.evaluate("""() => { window.all = []; celeriac.watchAll({}, {
        onEvent: (event) => all.push(event.event), onState: (state) => { window.state = state; },
    }); }""")
    page.wait_for_function("window.state === 'live'")
    fake.happen(job, "job.started", status="processing")
    page.wait_for_function("all.length === 1")
    fake.takes_sockets = False
    fake.cut()
    fake.wait_for_silence()
    fake.happen(job, "job.completed", status="completed")
    fake.takes_sockets = True
    page.wait_for_function("all.includes('job.completed')")


def test_after_a_gap_the_state_is_whole_again_and_says_so(page: Page, fake: Fake) -> None:
    job = fake.job("processing")
    _watch(page, job)
    fake.happen(job, "job.progress", progress=10)
    _wait(page, job, "all.at(-1)?.data.progress === 10")
    fake.forgets = True
    fake.change(job, progress=90, progress_message="late")
    fake.cut()
    _wait(page, job, "all.some(one => one.gap && one.data.progress === 90)")


def test_without_websockets_server_sent_events_carry_the_watch(page: Page, fake: Fake) -> None:
    fake.takes_sockets = False
    job = fake.job()
    _watch(page, job)
    wait_for(lambda: fake.count("GET", "/api/v1/events"), seconds=30, what="a stream is opened")
    page.wait_for_function("states.at(-1) === 'live'")
    _goes_through(page, fake, job)


def test_without_either_the_state_is_asked_for(page: Page, fake: Fake) -> None:
    fake.takes_sockets = fake.takes_streams = False
    job = fake.job()
    _watch(page, job)
    _goes_through(page, fake, job)
    assert "polling" in page.evaluate("states")
    assert all(one["polled"] for one in _heard(page, job))


def test_more_streams_than_a_browser_has_connections_do_not_stop_the_page(
    page: Page, fake: Fake
) -> None:
    fake.takes_sockets = False
    jobs = [fake.job() for _ in range(9)]
    for job in jobs:
        _watch(page, job)
    for job in jobs:
        fake.happen(job, "job.completed", status="completed")
    assert {_end(page, job)["status"] for job in jobs} == {"completed"}


def test_an_end_that_nobody_told_of_is_found(page: Page, fake: Fake) -> None:
    page.evaluate(_LOAD, {"safetySeconds": 1})
    job = fake.job("processing")
    _watch(page, job)
    page.wait_for_function("states.at(-1) === 'live'")
    fake.mute = True
    fake.change(job, status="completed")
    assert _end(page, job)["status"] == "completed"
    assert _heard(page, job)[-1] == {
        **_heard(page, job)[-1],
        "event": "job.completed",
        "polled": True,
    }


def test_a_job_that_is_not_there_ends_the_watch_with_the_refusal(page: Page, fake: Fake) -> None:
    job = fake.job()
    del fake.jobs[job["id"]]
    _watch(page, job)
    assert _end(page, job) == {"failed": 404}


def test_wait_gives_the_whole_job_with_its_result(page: Page, fake: Fake) -> None:
    job = fake.job("completed")
    whole = page.evaluate("id => celeriac.wait(id)", job["id"])
    assert whole["result"] == {"kept": True}


def test_iterating_gives_the_events_and_ends_with_the_job(page: Page, fake: Fake) -> None:
    job = fake.job()
    page.evaluate(
        """id => { window.read = []; window.reading = (async () => {
            for await (const event of celeriac.watch(id)) read.push(event.event);
        })(); }""",
        job["id"],
    )
    page.wait_for_function("read.length === 1")
    fake.happen(job, "job.started", status="processing")
    fake.happen(job, "job.failed", status="failed")
    page.evaluate("reading")
    assert page.evaluate("read") == ["job.snapshot", "job.started", "job.failed"]


def test_a_stopped_watch_hears_no_more_and_lets_its_connection_go(page: Page, fake: Fake) -> None:
    job = fake.job()
    ended = page.evaluate(
        """async id => {
            const stop = new AbortController();
            const watch = celeriac.watch(id, { signal: stop.signal });
            for await (const event of watch) stop.abort();
            return watch.ended.catch((error) => error.name);
        }""",
        job["id"],
    )
    assert ended == "AbortError"


@pytest.mark.parametrize(
    ("status", "headers"), [(429, {"retry-after": "0"}), (503, {"retry-after": "0"}), (503, {})]
)
def test_a_job_is_handed_in_again_under_the_same_key_when_the_server_says_not_now(
    page: Page, fake: Fake, status: int, headers: dict[str, str]
) -> None:
    fake.refusals = [(status, headers), (status, headers)]
    job = page.evaluate("celeriac.create('notes.text', { content: 'x' }, { queue: 'slow' })")
    assert list(fake.jobs) == [job["id"]]
    sent = [one for one in fake.asked if (one.method, one.path) == ("POST", "/api/v1/jobs")]
    assert len(sent) == 3
    assert len({one.headers["idempotency-key"] for one in sent}) == 1
    body = {"type": "notes.text", "payload": {"content": "x"}, "queue": "slow"}
    assert sent[0].body == sent[2].body == body


def test_without_an_answer_a_job_is_handed_in_again_and_an_action_is_not(
    page: Page, fake: Fake
) -> None:
    page.evaluate("""async () => {
        let left = 1;
        window.tries = [];
        const fetch = (address, options) => {
            tries.push(`${options.method} ${new URL(address).pathname}`);
            if (left-- > 0) return Promise.reject(new TypeError('away'));
            return window.fetch(address, options);
        };
        const { Celeriac } = await import('/static/celeriac/celeriac.js');
        window.shaky = (times) => {
            left = times;
            tries.length = 0;
            return new Celeriac({ fetch });
        };
    }""")
    page.evaluate("shaky(1).create('notes.text', {})")
    assert page.evaluate("tries") == ["POST /api/v1/jobs"] * 2
    status = page.evaluate("shaky(1).cancel('some').catch(error => error.status)")
    assert (status, page.evaluate("tries")) == (0, ["POST /api/v1/jobs/some/cancel"])


def test_a_refusal_is_an_error_with_what_the_server_said(page: Page, fake: Fake) -> None:
    fake.refusals = [(422, {})]
    error = page.evaluate(
        """celeriac.create('notes.text', {}).catch((error) => (
            { ours: error instanceof CeleriacError, ...error, message: error.message }))"""
    )
    assert (error["ours"], error["status"], error["detail"]) == (True, 422, "Not now.")
    assert error["message"] == "Not now."
    assert fake.count("POST", "/api/v1/jobs") == 1


def test_a_token_is_never_in_an_address_a_ticket_is(page: Page, fake: Fake) -> None:
    page.evaluate(_LOAD, {"token": "cel_secret", "tenant": "acme"})
    job = fake.job()
    _watch(page, job)
    _goes_through(page, fake, job)
    assert fake.opened[0]["ticket"].startswith("ticket-")
    assert "cel_secret" not in str(fake.opened) + str([one.query for one in fake.asked])
    api = [one for one in fake.asked if one.path.startswith("/api/")]
    assert {one.headers["authorization"] for one in api} == {"Bearer cel_secret"}
    assert {one.headers["x-tenant"] for one in api} == {"acme"}


def test_a_page_without_a_token_hears_by_the_tickets_of_its_own_server(
    page: Page, fake: Fake
) -> None:
    page.evaluate("""async () => {
        const { Celeriac } = await import('/static/celeriac/celeriac.js');
        window.filters = [];
        const ticket = (filter) => { filters.push(filter); return 'given'; };
        window.celeriac = new Celeriac({ ticket });
    }""")
    job = fake.job()
    _watch(page, job)
    _goes_through(page, fake, job)
    assert page.evaluate("filters") == [{"job_id": job["id"]}]
    assert fake.opened == [{"job_id": job["id"], "ticket": "given"}]
    assert not [one for one in fake.asked if one.path.startswith("/api/")]

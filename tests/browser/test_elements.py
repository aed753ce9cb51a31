"""The custom elements: what they show, say to screen readers, offer, and never let through."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.fake import Fake
from tests.browser.visit import NARROW, PATIENCE, WIDE

_HARM = "<img src=x onerror=\"document.title='harmed'\">"
_PUT = """([tag, attributes]) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    window.told = [];
    for (const name of ['event', 'ended', 'error']) {
        element.addEventListener(`celeriac-${name}`, (event) => told.push([name, event.detail]));
    }
    document.body.replaceChildren(element);
}"""
_POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'"


@pytest.fixture
def fake() -> Iterator[Fake]:
    with Fake(policy=_POLICY).at_work() as fake:
        yield fake


@pytest.fixture
def page(browser: Browser, fake: Fake) -> Iterator[Page]:
    """On the fake's own host under a strict policy, with the elements known."""
    asked: dict[str, Any] = {"base_url": fake.url, "viewport": WIDE, "reduced_motion": "reduce"}
    with browser.new_context(**asked) as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if _refused(said.text) else None)
        page.goto("/elements")
        page.evaluate("() => customElements.whenDefined('celeriac-dashboard').then(() => 0)")
        yield page
    assert not errors


def _refused(text: str) -> bool:
    return "Content Security Policy" in text


def _put(page: Page, tag: str, **attributes: Any) -> Locator:
    named = {name.replace("_", "-"): value for name, value in attributes.items()}
    page.evaluate(_PUT, [tag, named])
    return page.locator(tag)


def _told(page: Page, name: str) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = page.evaluate(
        "name => told.filter(([one]) => one === name).map(([, detail]) => detail)", name
    )
    return told


def test_a_job_is_shown_from_its_place_in_line_to_its_end(page: Page, fake: Fake) -> None:
    job = fake.job(position=3, position_exact=True, estimated_wait_seconds=70)
    shown = _put(page, "celeriac-job", job_id=job["id"])
    expect(shown.get_by_text("number 3 in line, about 1 min")).to_be_visible()
    fake.happen(job, "job.position", position=2)
    expect(shown.get_by_text("number 2 in line, about 1 min")).to_be_visible()
    fake.happen(job, "job.started", status="processing", position=None)
    fake.happen(job, "job.progress", progress=45.4, progress_message="outlining")
    bar = shown.get_by_role("progressbar", name="Progress of notes.text")
    expect(bar).to_have_attribute("aria-valuenow", "45")
    expect(bar).to_have_attribute("aria-valuetext", "45 %, outlining")
    assert bar.evaluate(
        "bar => bar.firstChild.getBoundingClientRect().width / bar.clientWidth > .3"
    )
    fake.happen(job, "job.completed", status="completed", progress=100, actual_duration_seconds=2.5)
    expect(shown.get_by_role("status")).to_have_text("completed")
    expect(shown.get_by_text("took 2.5 s")).to_be_visible()
    expect(shown.get_by_role("button")).to_have_count(0)
    (ended,) = _told(page, "ended")
    assert ended["job"]["status"] == "completed"


def test_a_job_is_cancelled_with_the_keyboard_and_says_so_at_once(page: Page, fake: Fake) -> None:
    job = fake.job("processing")
    shown = _put(page, "celeriac-job", job_id=job["id"])
    expect(shown.get_by_role("button", name="Cancel")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(shown.get_by_role("status")).to_have_text("cancelling")
    expect(shown.get_by_role("button")).to_have_count(0)
    assert fake.count("POST", f"/api/v1/jobs/{job['id']}/cancel") == 1
    fake.happen(job, "job.cancelled", status="cancelled")
    expect(shown.get_by_role("status")).to_have_text("cancelled")


def test_a_failed_job_shows_its_error_and_lives_again_when_it_is_retried(
    page: Page, fake: Fake
) -> None:
    error = {"type": "ValueError", "message": "no such note"}
    job = fake.job("failed", error=error)
    shown = _put(page, "celeriac-job", job_id=job["id"])
    expect(shown.get_by_role("alert")).to_have_text("no such note")
    shown.get_by_role("button", name="Retry").click()
    expect(shown.get_by_role("status")).to_have_text("queued")
    expect(shown.get_by_role("alert")).to_be_hidden()
    fake.happen(job, "job.completed", status="completed")
    expect(shown.get_by_role("status")).to_have_text("completed")


def test_an_action_that_is_refused_says_why(page: Page, fake: Fake) -> None:
    job = fake.job("processing")
    shown = _put(page, "celeriac-job", job_id=job["id"])
    fake.refusals = [(403, {})]
    shown.get_by_role("button", name="Cancel").click()
    expect(shown.get_by_role("alert")).to_have_text("Not now.")
    expect(shown.get_by_role("button", name="Cancel")).to_be_enabled()


def test_a_job_that_is_only_to_be_looked_at_offers_nothing(page: Page, fake: Fake) -> None:
    job = fake.job("failed", error={"type": "E", "message": "bad"})
    shown = _put(page, "celeriac-job", job_id=job["id"], readonly="")
    expect(shown.get_by_role("alert")).to_have_text("bad")
    expect(shown.get_by_role("button")).to_have_count(0)


def test_a_job_that_is_not_there_is_said_to_be_missing(page: Page, fake: Fake) -> None:
    shown = _put(page, "celeriac-job", job_id="0199a1c0-0000-7000-8000-000000000001")
    expect(shown.get_by_role("alert")).to_have_text("There is no such job.")


@pytest.mark.parametrize("tag", ["celeriac-job", "celeriac-dashboard"])
def test_what_a_job_says_of_itself_is_shown_as_text(page: Page, fake: Fake, tag: str) -> None:
    error = {"type": _HARM, "message": f"error {_HARM}"}
    job = fake.job(
        "processing",
        type=f"type {_HARM}",
        progress_message=f"message {_HARM}",
        labels={_HARM: _HARM},
    )
    fake.queue(f"queue {_HARM}")
    shown = _put(page, tag, job_id=job["id"])
    expect(shown.get_by_text(f"type {_HARM}").first).to_be_visible()
    expect(shown.get_by_text(f"message {_HARM}").first).to_be_visible()
    fake.happen(job, "job.failed", status="failed", error=error)
    expect(shown.get_by_text(f"error {_HARM}").first).to_be_visible()
    if tag == "celeriac-dashboard":
        expect(shown.get_by_text(f"queue {_HARM}")).to_be_visible()
    assert shown.locator("img").count() == 0
    assert page.title() != "harmed"


def test_another_job_in_the_same_element_leaves_nothing_of_the_first(
    page: Page, fake: Fake
) -> None:
    first, second = fake.job("failed", error={"type": "E", "message": "bad"}), fake.job("queued")
    shown = _put(page, "celeriac-job", job_id=first["id"])
    expect(shown.get_by_role("alert")).to_have_text("bad")
    shown.evaluate("(element, id) => { element.jobId = id; }", second["id"])
    expect(shown.get_by_role("status")).to_have_text("queued")
    expect(shown.get_by_role("alert")).to_be_hidden()


def test_elements_of_one_server_share_a_connection_and_let_it_go(page: Page, fake: Fake) -> None:
    jobs = [fake.job("processing") for _ in range(3)]
    page.evaluate(
        """ids => document.body.replaceChildren(...ids.map((id) => {
            const element = document.createElement('celeriac-job');
            element.setAttribute('job-id', id);
            return element;
        }))""",
        [job["id"] for job in jobs],
    )
    expect(page.locator("celeriac-job[state=live]")).to_have_count(3)
    assert len(fake.opened) == 1
    page.evaluate("document.body.replaceChildren()")
    fake.wait_for_silence()


def test_the_board_shows_counts_jobs_and_queues_and_keeps_up(page: Page, fake: Fake) -> None:
    old, running = fake.job("completed", progress=100), fake.job("processing", progress=30)
    fake.queue("default", 12)
    fake.counts = {"queued": 12, "completed": 1234}
    board = _put(page, "celeriac-dashboard", limit=2)
    tile = board.locator("[data-status=completed].tile")
    expect(tile).to_contain_text("1,234")
    expect(board.get_by_text("12 waiting")).to_be_visible()
    expect(board.locator("[data-job-id]")).to_have_count(2)
    expect(board.get_by_role("status").first).to_have_text("live")
    fake.happen(running, "job.progress", progress=80)
    expect(board.locator(f"[data-job-id='{running['id']}'] [role=progressbar]")).to_have_attribute(
        "aria-valuenow", "80"
    )
    new = fake.job("queued")
    fake.counts = {"completed": 1235}
    fake.happen(new, "job.queued")
    expect(board.locator("[data-job-id]").first).to_have_attribute("data-job-id", new["id"])
    expect(board.locator(f"[data-job-id='{old['id']}']")).to_have_count(0)
    expect(tile).to_contain_text("1,235")
    fake.happen(running, "job.completed", status="completed", progress=100)
    expect(board.locator(f"[data-job-id='{running['id']}']")).to_contain_text("completed")
    assert [one["job"]["id"] for one in _told(page, "ended")] == [running["id"]]


def test_the_board_says_when_it_has_no_connection_and_finds_it_again(
    page: Page, fake: Fake
) -> None:
    job = fake.job("processing")
    board = _put(page, "celeriac-dashboard")
    state = board.get_by_role("status").first
    expect(state).to_have_text("live")
    fake.takes_sockets = fake.takes_streams = fake.answers = False
    fake.cut()
    expect(state).to_have_text("no connection")
    fake.change(job, status="completed")
    fake.takes_sockets = fake.takes_streams = fake.answers = True
    expect(state).to_have_text("live")
    expect(board.locator("[data-job-id]")).to_contain_text("completed")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground_in_both_schemes(
    page: Page, fake: Fake, scheme: str
) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of its literals
    job = fake.job("failed", error={"type": "E", "message": "bad"}, progress_message="late")
    shown = _put(page, "celeriac-job", job_id=job["id"])
    expect(shown.get_by_role("alert")).to_be_visible()
    for part in ("type", "status", "error", "button", "message"):
        assert _contrast(shown.locator(f"[part~={part}]:visible").first) >= 4.5, part


def _contrast(text: Locator) -> float:
    """As WCAG counts it; the ground is painted from the outermost to the innermost."""
    contrast: float = text.evaluate("""(element) => {
        const pen = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
        const chain = [];
        const above = (one) => one.parentElement ?? one.getRootNode().host;
        for (let one = element; one; one = above(one)) chain.push(one);
        pen.fillStyle = 'white';
        pen.fillRect(0, 0, 1, 1);
        const painted = (colour) => {
            pen.fillStyle = colour;
            pen.fillRect(0, 0, 1, 1);
            const [red, green, blue] = [...pen.getImageData(0, 0, 1, 1).data].map((byte) => {
                const part = byte / 255;
                return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
            });
            return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
        };
        let ground = 1;
        for (const one of chain.reverse()) ground = painted(getComputedStyle(one).backgroundColor);
        const ink = painted(getComputedStyle(element).color);
        return (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
    }""")
    return contrast


def test_nothing_scrolls_sideways_on_a_narrow_screen(page: Page, fake: Fake) -> None:
    page.set_viewport_size(NARROW)
    job = fake.job("processing", type="very." + "long" * 40, progress_message="wide" * 60)
    fake.queue("q" * 120, 5)
    for tag in ("celeriac-job", "celeriac-dashboard"):
        shown = _put(page, tag, job_id=job["id"])
        expect(shown.get_by_text("very.").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"], tag

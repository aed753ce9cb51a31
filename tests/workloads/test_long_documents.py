"""Notes of very long documents: of every section a part, in bounded memory and time."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings

from tests.workloads.files.words import different_words
from tests.workloads.recording import context
from workloads.documents import Block
from workloads.notes import shortening, terms
from workloads.notes.languages import small_words
from workloads.notes.making import make_notes
from workloads.notes.payload import NotesOptions
from workloads.notes.reading import assemble, read
from workloads.notes.shortening import MOST_CHARACTERS, MOST_SECTIONS, MOST_SENTENCES, fair_share

PEAK = """
import django; django.setup()
from base64 import b64encode
from tests.workloads.files.words import different_words
from tests.workloads.recording import context
from workloads.notes.job_types import notes_of_file
from workloads.notes.payload import InlineFile

content = b64encode(different_words(5_000_000).encode()).decode()
assert notes_of_file(context(), file=InlineFile(name="a.txt", content_base64=content))["sections"]
with open("/proc/self/status") as status:  # not ru_maxrss, which a child inherits
    print(next(line.split()[1] for line in status if line.startswith("VmHWM")))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the peak of one program")
def test_a_long_text_takes_little_of_a_workers_memory() -> None:
    said = subprocess.run(
        [sys.executable, "-c", PEAK],
        cwd=Path(settings.BASE_DIR),
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True, check=True, text=True,
    )  # fmt: skip

    assert int(said.stdout) < 300_000


def test_four_times_the_text_takes_not_much_more_than_four_times_the_time() -> None:
    assert cost(different_words(4_000_000, ".")) < 5 * cost(different_words(1_000_000, "."))


def cost(text: str) -> float:
    began = time.process_time()
    document = assemble([Block(kind="paragraph", text=text)])
    make_notes(document, options=NotesOptions(quiz=True), model=None, watch=context())
    return time.process_time() - began


SENTENCE = "The baker waits for the dough, and the dough waits for the warmth of the oven. "


def section(name: str, length: int) -> str:
    return f"## {name}\n\n" + SENTENCE * (length // len(SENTENCE) + 1) + "\n\n"


def test_what_is_too_long_is_cut_in_its_long_sections_only_and_says_so() -> None:
    document = read(section("Long", 900_000) + section("Short", 900) + section("Last", 400_000))
    sizes = {
        name: sum(len(one.text) for one in document.sections if one.heading == name)
        for name in ("Long", "Short", "Last")
    }

    assert 900 <= sizes["Short"] < 1_100
    assert sizes["Long"] == pytest.approx(MOST_CHARACTERS / 2, rel=0.05)
    assert sizes["Last"] == pytest.approx(MOST_CHARACTERS / 2, rel=0.05)
    assert [warning for warning in document.warnings if "so long" in warning]


@pytest.mark.parametrize(
    "make",
    [
        lambda: "".join(section(f"Part {number}", 1) for number in range(2 * MOST_SECTIONS)),
        lambda: section("One", 300) + "So it is. " * 2 * MOST_SENTENCES,
        lambda: "\n\n".join(["It is."] * 2 * MOST_SENTENCES),
        lambda: "茶" * 2 * MOST_CHARACTERS,
    ],
    ids=["sections", "sentences", "paragraphs", "one word"],
)
def test_too_many_parts_are_too_long_as_well(make: Callable[[], str]) -> None:
    document = read(make())

    assert len({one.heading for one in document.sections}) <= MOST_SECTIONS
    assert len(document.sentences) <= MOST_SENTENCES
    assert sum(map(len, document.sentences)) <= MOST_CHARACTERS
    assert len(document.warnings) == 1


def test_of_too_many_sections_the_last_ones_are_heard_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shortening, "MOST_SECTIONS", 5)
    document = read("".join(section(f"Part {number}", 1) for number in range(10)))

    assert [one.heading for one in document.sections] == [f"Part {n}" for n in (0, 2, 4, 6, 8)]


def test_what_fits_is_left_whole_without_a_warning() -> None:
    document = read(section("Long", MOST_CHARACTERS - 5_000) + section("Short", 900))

    assert sum(map(len, document.sentences)) > MOST_CHARACTERS * 0.95
    assert document.warnings == ()


@pytest.mark.parametrize(
    ("sizes", "most", "share"),
    [
        ([], 10, 10),
        ([3, 4], 10, 4),
        ([5, 5], 10, 5),
        ([6, 6], 10, 5),
        ([9, 1, 9], 10, 4),
        ([2, 100, 3], 10, 5),
        ([1, 1, 1], 2, 0),
    ],
)
def test_a_share_is_fair(sizes: list[int], most: int, share: int) -> None:
    assert fair_share(sizes, most) == share
    assert sum(min(size, share) for size in sizes) <= most


def test_a_heading_without_an_end_is_text() -> None:
    long = "The whole document is set in the style of a heading, which happens. " * 9

    document = assemble([Block(kind="heading", text=long, level=1)])

    assert document.title is None
    assert len(document.sentences) == 9


def test_key_terms_are_found_among_more_phrases_than_are_kept_in_mind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(terms, "MOST_PHRASES", 100)
    many = different_words(8_000).split()
    sentences = [f"Fencing token, {', '.join(many[n : n + 20])}." for n in range(0, 1_000, 20)]

    (found,) = terms.key_terms(sentences, small_words("en"), 1)

    assert (found.text.lower(), found.count) == ("fencing token", 50)

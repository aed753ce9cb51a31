"""Reading a language model's answers, forgivingly: they seldom keep wholly to a form.

Pure. An answer in which nothing can be found raises `BadAnswer`.
"""

import re

from workloads.documents.decoding import clean
from workloads.documents.markdown import plain
from workloads.llm import BadAnswer
from workloads.notes.notes import Outline, Question, SectionNotes
from workloads.notes.sentences import sentences

MOST_POINTS = 12
LONGEST_HEADING = 120
LONGEST_POINT = 600
LONGEST_SUMMARY = 2000

_THOUGHTS = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
_FENCE = re.compile(r"^```.*$", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6}\s+(.+?)[:\s#]*$|^\*\*([^*]+)\*\*:?$")
_POINT = re.compile(r"^(?:[-*+•]|\d{1,2}[.)])\s+(.+)$")
_TERMS = re.compile(r"^\W*(?:KEY\s+)?TERMS\W*:\W*(.*)$", re.IGNORECASE)
_ASKED = re.compile(r"^\W*(?:\d+\W+)?Q(?:uestion)?\s*\d*\W*:\W*(.+)$", re.IGNORECASE)
_ANSWERED = re.compile(r"^\W*A(?:nswer)?\s*\d*\W*:\W*(.+)$", re.IGNORECASE)


def outline(answer: str, heading: str) -> Outline:
    """Sections with points; prose becomes points sentence by sentence.

    `heading` stands above points that the answer put under none.
    """
    found: list[tuple[str, list[str]]] = [(heading, [])]
    terms: tuple[str, ...] = ()
    for line in _lines(answer):
        if match := _TERMS.match(line):
            terms = tuple(term for part in match[1].split(",") if (term := plain(part).strip(" .")))
        elif match := _HEADING.match(line):
            found.append((plain(match[1] or match[2])[:LONGEST_HEADING], []))
        else:
            found[-1][1].extend(_points(line))
    sections = tuple(
        SectionNotes(heading=name, points=tuple(points[:MOST_POINTS]))
        for name, points in found
        if points
    )
    if not sections:
        raise BadAnswer("The language model's answer contained no notes.")
    return Outline(sections=sections, terms=terms)


def summary(answer: str) -> str:
    """One paragraph, without headings and marks."""
    prose = (plain(_unmarked(line)) for line in _lines(answer) if not _HEADING.match(line))
    text = " ".join(line for line in prose if line)
    if not text:
        raise BadAnswer("The language model's answer contained no summary.")
    return text[:LONGEST_SUMMARY]


def quiz(answer: str) -> tuple[Question, ...]:
    """The questions that have an answer."""
    asked = ""
    found: list[Question] = []
    for line in _lines(answer):
        if match := _ASKED.match(line):
            asked = plain(match[1])
        elif (match := _ANSWERED.match(line)) and asked:
            found.append(Question(question=asked, answer=plain(match[1])))
            asked = ""
    if not found:
        raise BadAnswer("The language model's answer contained no questions.")
    return tuple(found)


def _lines(answer: str) -> list[str]:
    text = _FENCE.sub("", _THOUGHTS.sub("", clean(answer)))
    return [line.strip() for line in text.split("\n") if line.strip()]


def _points(line: str) -> list[str]:
    match = _POINT.match(line)
    found = [plain(match[1])] if match else sentences(plain(line))
    return [point[:LONGEST_POINT] for point in found if re.search(r"\w", point)]


def _unmarked(line: str) -> str:
    match = _POINT.match(line)
    return match[1] if match else line

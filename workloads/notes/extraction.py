"""Notes without a language model: the sentences that say the most, as they stand.

Pure and deterministic: the same document always gives the same notes.
"""

import math
from collections.abc import Iterable
from dataclasses import replace
from itertools import chain

from workloads.notes import cloze
from workloads.notes.document import Document, Section
from workloads.notes.languages import openers, small_words
from workloads.notes.notes import Outline, Question, SectionNotes
from workloads.notes.ranking import RankedSentence, best, rank, vocabulary
from workloads.notes.terms import Term, key_terms

MOST_POINTS = 5
MOST_TERMS = 8
MOST_QUESTIONS = 5
SHARE_OF_SENTENCES = 0.4
SUMMARY_SENTENCES = 4
WORDS_OF_A_HEADING = 6
LONGEST_HEADING = 60
INTRODUCTION = 1.3


class Extraction:
    """Takes notes of one document, whose language decides which words count for little."""

    def __init__(self, document: Document, language: str) -> None:
        self._title = document.title
        self._first = document.sections[0]
        self._small = small_words(language)
        self._vocabulary = vocabulary(document.sentences, self._small, openers(language))
        self._ranked = self._rank(document.sections)
        self._terms = key_terms(_with_headings(document.sections), self._small, MOST_TERMS)

    def outline(self, sections: Iterable[Section]) -> Outline:
        """The best two fifths of each section's sentences, five at most."""
        return Outline(sections=tuple(self._outlined(section) for section in sections))

    def summary(self) -> str:
        """The best sentences of the document, of different sections where it has enough."""
        leaders = [max(ranked, key=lambda one: one.score) for ranked in self._ranked]
        enough = len(leaders) >= SUMMARY_SENTENCES
        return " ".join(
            one.text for one in best(leaders if enough else self._all(), SUMMARY_SENTENCES)
        )

    def terms(self) -> tuple[str, ...]:
        """What the document is about, the most telling first."""
        return tuple(term.text for term in self._terms)

    def quiz(self) -> tuple[Question, ...]:
        """Sentences with a gap; empty where no sentence suits."""
        return cloze.questions(self._all(), self._terms, MOST_QUESTIONS)

    def heading(self, section: Section) -> str:
        """Its own heading, else the title right above it, its terms, or its first words."""
        if section.heading:
            return section.heading
        if self._title and section == self._first:
            return self._title
        terms = [term for term in key_terms(section.sentences, self._small, 2) if term.count > 1]
        return _joined(terms) or _first_words(section.sentences[0])

    def _rank(self, sections: Iterable[Section]) -> list[list[RankedSentence]]:
        ranked: list[list[RankedSentence]] = []
        place = 0
        for section in sections:
            ranked.append(rank(section, place, self._vocabulary))
            place += len(section.sentences)
        # Authors say first what it is about.
        ranked[0] = [replace(one, score=one.score * INTRODUCTION) for one in ranked[0]]
        return ranked

    def _all(self) -> list[RankedSentence]:
        return [one for ranked in self._ranked for one in ranked]

    def _outlined(self, section: Section) -> SectionNotes:
        ranked = rank(section, 0, self._vocabulary)
        most = min(MOST_POINTS, math.ceil(SHARE_OF_SENTENCES * len(ranked)))
        points = tuple(one.text for one in best(ranked, max(1, most)))
        return SectionNotes(heading=self.heading(section), points=points)


def _first_words(sentence: str) -> str:
    first = " ".join(sentence.split()[:WORDS_OF_A_HEADING])[:LONGEST_HEADING]
    return first if first == sentence else f"{first}…"


def _joined(terms: list[Term]) -> str:
    text = " · ".join(term.text for term in terms)
    return text[:1].upper() + text[1:]


def _with_headings(sections: Iterable[Section]) -> Iterable[str]:
    return chain.from_iterable((section.heading or "", *section.sentences) for section in sections)

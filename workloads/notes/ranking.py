"""Which sentences of a document say the most about it.

A sentence scores by how telling its words are for the document, where it stands, and whether it can
be read alone. The words' weights follow the idea that the frequent words of a document carry its
subject (H. P. Luhn, "The automatic creation of literature abstracts", 1958); time grows with the
length of the text, not with its square as it would for a graph of sentences.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from workloads.notes.document import Section
from workloads.notes.sentences import stem, words

SHORTEST_SENTENCE = 6
LONGEST_SENTENCE = 45
"""Words; sentences outside these bounds score less."""

MOST_OVERLAP = 0.5
"""Two sentences that share more of their telling words than this say the same."""


@dataclass(frozen=True, kw_only=True)
class RankedSentence:
    """A sentence, its place in the document, its score, and the stems of its telling words."""

    text: str
    place: int
    score: float
    stems: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """What the words of a document are worth."""

    weights: dict[str, float]
    small: frozenset[str]
    openers: frozenset[str]

    def stems(self, sentence: str) -> frozenset[str]:
        """The stems of a sentence's telling words."""
        found = (word.casefold() for word in words(sentence))
        return frozenset(stem(w) for w in found if w not in self.small and not w.isdigit())


def vocabulary(
    sentences: Sequence[str], small: frozenset[str], openers: frozenset[str]
) -> Vocabulary:
    """Weights by the number of sentences a word occurs in, damped."""
    unweighted = Vocabulary(weights={}, small=small, openers=openers)
    counts = Counter(stem for sentence in sentences for stem in unweighted.stems(sentence))
    weights = {stem: math.log(count) + 0.2 for stem, count in counts.items()}
    return Vocabulary(weights=weights, small=small, openers=openers)


def rank(section: Section, first_place: int, known: Vocabulary) -> list[RankedSentence]:
    """The section's sentences in their order, the first at `first_place` of the document."""
    heading = known.stems(section.heading or "")
    ranked: list[RankedSentence] = []
    for paragraph in section.paragraphs:
        for number, sentence in enumerate(paragraph):
            stems = known.stems(sentence)
            opens = 1.25 if not ranked else 1.15 if number == 0 else 1.0
            named = 1.0 + 0.1 * len(stems & heading)
            score = _telling(stems, known) * opens * named * _readable(sentence, known)
            place = first_place + len(ranked)
            ranked.append(RankedSentence(text=sentence, place=place, score=score, stems=stems))
    return ranked


def best(ranked: Sequence[RankedSentence], most: int) -> list[RankedSentence]:
    """Up to `most` sentences that do not repeat each other, in the document's order."""
    chosen: list[RankedSentence] = []
    for sentence in sorted(ranked, key=lambda one: (-one.score, one.place)):
        if len(chosen) == most:
            break
        if not any(_overlap(sentence, other) > MOST_OVERLAP for other in chosen):
            chosen.append(sentence)
    return sorted(chosen, key=lambda one: one.place)


def _telling(stems: frozenset[str], known: Vocabulary) -> float:
    # The root keeps long sentences from winning by length alone, and short ones by shortness.
    return sum(known.weights.get(stem, 0.0) for stem in stems) / math.sqrt(len(stems) + 1)


def _readable(sentence: str, known: Vocabulary) -> float:
    found = words(sentence)
    factor = 1.0
    if not SHORTEST_SENTENCE <= len(found) <= LONGEST_SENTENCE:
        factor *= 0.6
    if found and found[0].casefold() in known.openers:
        factor *= 0.7
    if sentence.endswith(("?", ":")):
        factor *= 0.6
    return factor


def _overlap(one: RankedSentence, other: RankedSentence) -> float:
    smaller = min(len(one.stems), len(other.stems))
    return len(one.stems & other.stems) / smaller if smaller else 0.0

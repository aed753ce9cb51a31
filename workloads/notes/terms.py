"""Which words and phrases a text is about.

Phrases of up to three words without a small word inside are counted; longer ones count more,
because a repeated phrase says more than its words do (the idea of C-value: K. Frantzi, S. Ananiadou
and H. Mima, "Automatic recognition of multi-word terms", 2000).
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from workloads.notes.sentences import stem, words

LONGEST_PHRASE = 3
SHORTEST_WORD = 3
MOST_PHRASES = 40_000
"""So many are kept in mind; where there are more, the rarer half of them is forgotten."""

Key = tuple[str, ...]

_CLAUSE_END = re.compile(r"[][,;:()“”„\"–—/]")


@dataclass(frozen=True, kw_only=True)
class Term:
    """A phrase as people read it, and the stems under which it is counted."""

    text: str
    key: Key
    count: int


def key_terms(sentences: Iterable[str], small: frozenset[str], most: int) -> list[Term]:
    """Up to `most` terms, the most telling first. Ties fall to the one that occurs first."""
    counts, surfaces = _counted(_phrases(sentences, small))
    ranked = sorted(counts, key=lambda key: -_weight(key, counts[key]))
    chosen: list[Key] = []
    for key in ranked:
        if len(chosen) == most:
            break
        if not _is_told_already(key, chosen, counts):
            chosen.append(key)
    return [Term(text=_surface(surfaces[key]), key=key, count=counts[key]) for key in chosen]


def _counted(phrases: Iterable[list[str]]) -> tuple[Counter[Key], dict[Key, Counter[str]]]:
    """How often each phrase occurs, and in which spellings; exact up to `MOST_PHRASES`."""
    counts: Counter[Key] = Counter()
    surfaces: dict[Key, Counter[str]] = {}
    for phrase in phrases:
        key = tuple(map(stem, phrase))
        counts[key] += 1
        surfaces.setdefault(key, Counter())[" ".join(phrase)] += 1
        if len(counts) > MOST_PHRASES:
            counts = Counter(dict(counts.most_common(MOST_PHRASES // 2)))
            surfaces = {kept: surfaces[kept] for kept in counts}
    return counts, surfaces


def _phrases(sentences: Iterable[str], small: frozenset[str]) -> Iterator[list[str]]:
    for sentence in sentences:
        for run in _runs(sentence, small):
            for length in range(1, LONGEST_PHRASE + 1):
                for start in range(len(run) - length + 1):
                    yield run[start : start + length]


def _runs(sentence: str, small: frozenset[str]) -> Iterator[list[str]]:
    """Stretches of telling words; a small word, a short word or punctuation ends a stretch."""
    for clause in _CLAUSE_END.split(sentence):
        run: list[str] = []
        for word in words(clause):
            if word.casefold() in small or len(word) < SHORTEST_WORD or word[0].isdigit():
                yield run
                run = []
            else:
                run.append(word)
        yield run


def _weight(key: Key, count: int) -> float:
    if count == 1:
        return 0.1 * len(key[0]) / (10 * len(key))  # a hapax: only where nothing is repeated
    return count * (1 + 0.7 * (len(key) - 1))


def _is_told_already(key: Key, chosen: list[Key], counts: Counter[Key]) -> bool:
    """True for a word that mostly stands in a chosen phrase, and a phrase around such a word."""
    mine = set(key)
    return any(
        (mine <= set(other) and counts[key] < 2 * counts[other])
        or (mine > set(other) and counts[key] == 1)
        or (len(mine & set(other)) > 1)
        for other in chosen
    )


def _surface(forms: Counter[str]) -> str:
    """The most frequent spelling; a capital that only begins sentences is not kept."""
    lowered = [form for form in forms if form == form.lower()]
    return max(lowered or forms, key=lambda form: forms[form])

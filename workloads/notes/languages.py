"""Small words of a few languages: they carry grammar, not subject matter.

`words/XX.small.txt` are left aside when words are weighed. `words/XX.openers.txt` begin sentences
that lean on the sentence before them and so read badly alone. A language without these files gets
neither; frequent words then weigh more than they should, and the notes are still made.
"""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

WORD_LISTS = Path(__file__).parent / "words"

# Fewer small words than this share, and the text is in a language that is not here.
LEAST_SHARE = 0.12


def small_words(language: str) -> frozenset[str]:
    """The small words of a language tag's language; empty for one that is not here."""
    return _word_list(WORD_LISTS / f"{primary(language)}.small.txt")


def openers(language: str) -> frozenset[str]:
    """The words that open a leaning sentence; empty for a language that is not here."""
    return _word_list(WORD_LISTS / f"{primary(language)}.openers.txt")


def known_languages() -> list[str]:
    """The languages that have small words here."""
    return sorted(path.name.partition(".")[0] for path in WORD_LISTS.glob("*.small.txt"))


def primary(language: str) -> str:
    """`pt` of `pt-BR`."""
    return language.partition("-")[0].lower()


def recognise(words: Iterable[str]) -> str | None:
    """The language whose small words are the most frequent, or None where no one's are."""
    folded = [word.casefold() for word in words]
    shares = {
        language: sum(map(small_words(language).__contains__, folded)) / max(len(folded), 1)
        for language in known_languages()
    }
    best = max(shares, key=lambda language: shares[language])
    return best if shares[best] >= LEAST_SHARE else None


@cache
def _word_list(path: Path) -> frozenset[str]:
    return frozenset(path.read_text("utf-8").split()) if path.is_file() else frozenset()

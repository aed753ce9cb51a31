"""Text to sentences and words, for languages that put a mark at a sentence's end."""

import re
from pathlib import Path

LONGEST_SENTENCE = 600
"""Characters. What runs on longer, such as a log or a table, is cut at a space."""

_END = re.compile(r"(?<=[.!?…])[\"'”’»)\]]*\s+(?=[\"'“‘„«(\[¿¡]*[^\W_a-zß-öø-ÿ])|(?<=[。！？])")
_ABBREVIATIONS = frozenset(
    (Path(__file__).parent / "words" / "abbreviations.txt").read_text("utf-8").split()
)
# Characters around a sentence's end that decide; looking further would cost the square of a length.
_NEAR = 60
_INITIAL = re.compile(r"^[^\W\d_]\.$")
_DAY = re.compile(r"^\d{1,2}\.$")
# German writes a day as `3. Oktober`; in most languages a sentence may well end with a number.
_AFTER_A_DAY = tuple(
    (Path(__file__).parent / "words" / "after-ordinals.txt").read_text("utf-8").split()
)
_WORD = re.compile(r"[^\W_]+(?:[-’'][^\W_]+)*")
_ELISION = re.compile(r"^(?:[cdjlmnst]|qu)[’'](?=\w)", re.IGNORECASE)


def sentences(text: str) -> tuple[str, ...]:
    """The sentences of one paragraph, white space evened out."""
    found: list[str] = []
    start = 0
    text = " ".join(text.split())
    for end in _END.finditer(text):
        before = text[max(start, end.start() - _NEAR) : end.start()]
        if not _goes_on(before, text[end.end() : end.end() + _NEAR]):
            found.append(text[start : end.end()].strip())
            start = end.end()
    found.append(text[start:].strip())
    return tuple(part for sentence in found if sentence for part in _cut(sentence))


def words(text: str) -> list[str]:
    """The words in order, as written; French and Italian elisions (`l'eau`) lose their article."""
    return [_ELISION.sub("", word) for word in _WORD.findall(text)]


def stem(word: str) -> str:
    """A key under which a word and its plural in -s meet. Crude, and the same for all languages."""
    word = word.casefold()
    if len(word) > 4 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _goes_on(before: str, after: str) -> bool:
    """True where the full stop belongs to the word before it: `e.g.`, `J.`, `3.` in a date."""
    last = before.rsplit(" ", 1)[-1].lstrip("(\"'“‘„«[")
    return (
        last.lower() in _ABBREVIATIONS
        or _INITIAL.match(last) is not None
        or (_DAY.match(last) is not None and after.startswith(_AFTER_A_DAY))
    )


def _cut(sentence: str) -> list[str]:
    parts = []
    start = 0
    while len(sentence) - start > LONGEST_SENTENCE:
        longest = start + LONGEST_SENTENCE
        space = sentence.rfind(" ", start + LONGEST_SENTENCE // 2, longest)
        end = longest if space < 0 else space
        parts.append(sentence[start:end].strip())
        start = end
    return [*parts, sentence[start:].strip()]

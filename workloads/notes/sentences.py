"""Text to sentences and words, for languages that put a mark at a sentence's end."""

import re
from pathlib import Path

LONGEST_SENTENCE = 600
"""Characters. What runs on longer, such as a log or a table, is cut at a space."""

_END = re.compile(r"(?<=[.!?…])[\"'”’»)\]]*\s+(?=[\"'“‘„«(\[¿¡]*[^\W_a-zß-öø-ÿ])|(?<=[。！？])")
_ABBREVIATIONS = frozenset(
    (Path(__file__).parent / "words" / "abbreviations.txt").read_text("utf-8").split()
)
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
        if not _goes_on(text[start : end.start()], text[end.end() :]):
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
    while len(sentence) > LONGEST_SENTENCE:
        space = sentence.rfind(" ", LONGEST_SENTENCE // 2, LONGEST_SENTENCE)
        end = LONGEST_SENTENCE if space < 0 else space
        parts.append(sentence[:end].strip())
        sentence = sentence[end:].strip()
    return [*parts, sentence]

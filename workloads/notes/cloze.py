"""Questions with a gap: a sentence of the text, one of its key terms left out."""

import re
from collections.abc import Sequence

from workloads.notes.notes import Question
from workloads.notes.ranking import RankedSentence
from workloads.notes.terms import Term

GAP = "_____"
SHORTEST = 8
LONGEST = 40
CHOICES = 4


def questions(
    sentences: Sequence[RankedSentence], terms: Sequence[Term], most: int
) -> tuple[Question, ...]:
    """Up to `most` questions in the text's order, each term and each sentence asked for once.

    The choices are key terms that the sentence does not contain, in alphabetical order, so that
    their order gives nothing away and the same text always gives the same quiz.
    """
    free = sorted((s for s in sentences if _is_fit(s.text)), key=lambda one: -one.score)
    asked: list[tuple[int, Question]] = []
    for term in terms:
        if len(asked) == most:
            break
        found = next((s for s in free if len(_gap(term).findall(s.text)) == 1), None)
        if found:
            free.remove(found)
            asked.append((found.place, _question(found.text, term, terms)))
    return tuple(question for _, question in sorted(asked, key=lambda pair: pair[0]))


def _is_fit(sentence: str) -> bool:
    return SHORTEST <= len(sentence.split()) <= LONGEST and sentence.endswith((".", "!", "。"))


def _gap(term: Term) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-]){re.escape(term.text)}(?![\w-])", re.IGNORECASE)


def _question(sentence: str, term: Term, terms: Sequence[Term]) -> Question:
    others = [other.text for other in terms if not _gap(other).search(sentence)]
    choices = sorted([*others[: CHOICES - 1], term.text], key=str.casefold)
    return Question(
        question=_gap(term).sub(GAP, sentence),
        answer=term.text,
        choices=tuple(choices) if len(choices) > 1 else (),
    )

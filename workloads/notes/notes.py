"""Notes as values, and as the dictionary that a job returns."""

from dataclasses import dataclass
from typing import Any, Literal

from workloads.notes.sentences import words

Method = Literal["ai", "extractive"]


@dataclass(frozen=True, kw_only=True)
class SectionNotes:
    """The points worth keeping of one section."""

    heading: str
    points: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Outline:
    """Notes of a stretch of a document, and the key terms that were named with them."""

    sections: tuple[SectionNotes, ...]
    terms: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question and its answer; `choices`, if any, contain the answer."""

    question: str
    answer: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Notes:
    """Notes of one document. `quiz` is None where none was asked for."""

    title: str
    summary: str
    sections: tuple[SectionNotes, ...]
    key_terms: tuple[str, ...]
    quiz: tuple[Question, ...] | None
    method: Method
    model: str | None
    language: str
    words_in: int
    warnings: tuple[str, ...]

    def as_result(self) -> dict[str, Any]:
        """The job's result: plain JSON values, `quiz` only where one was asked for."""
        return {
            "title": self.title,
            "summary": self.summary,
            "sections": [{"heading": s.heading, "points": list(s.points)} for s in self.sections],
            "key_terms": list(self.key_terms),
            **self._quiz(),
            "generation_method": self.method,
            "model": self.model,
            "language": self.language,
            "statistics": {"words_in": self.words_in, "words_out": self._words_out()},
            "warnings": list(self.warnings),
        }

    def _quiz(self) -> dict[str, Any]:
        if self.quiz is None:
            return {}
        return {
            "quiz": [
                {"question": q.question, "answer": q.answer, "choices": list(q.choices)}
                for q in self.quiz
            ]
        }

    def _words_out(self) -> int:
        points = (point for section in self.sections for point in section.points)
        return sum(len(words(text)) for text in (self.summary, *points))

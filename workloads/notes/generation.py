"""Notes by a language model, part by part."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from workloads.llm import BadAnswer, LanguageModel, LanguageModelError, OutOfTime
from workloads.notes import answers, prompts
from workloads.notes.chunks import Chunk, chunks
from workloads.notes.document import Document
from workloads.notes.extraction import Extraction
from workloads.notes.gathering import together
from workloads.notes.notes import Outline, Question, SectionNotes
from workloads.notes.payload import NotesOptions
from workloads.notes.stages import Stage

LONGEST_CHUNK = 4000
"""Characters, about 1,000 tokens: with the answer it fits a context window of 2,048."""

MOST_FAILURES_AT_FIRST = 2
"""So many parts may fail before any has succeeded; then the model is not up to it."""

T = TypeVar("T")


class Generation:
    """Asks the model for each part, and lets `extraction` stand in for a part without an answer.

    `warnings` tells of those parts. Where the server is away or refuses, and where no part of the
    outline could be had, `LanguageModelError` is raised instead.
    """

    def __init__(self, model: LanguageModel, options: NotesOptions, extraction: Extraction) -> None:
        self.warnings: list[str] = []
        self._model = model
        self._options = options
        self._extraction = extraction

    def outline(self, document: Document, stage: Stage) -> Outline:
        """Points of every section, chunk by chunk."""
        portions = list(chunks(document.sections, LONGEST_CHUNK))
        outlines: list[Outline] = []
        generated = failures = 0
        for chunk, part in zip(portions, stage.parts(len(portions)), strict=True):
            part.begin()
            try:
                outlines.append(self._outlined(chunk, part))
                generated += 1
            except (BadAnswer, OutOfTime) as error:
                failures += 1
                if not generated and failures == min(len(portions), MOST_FAILURES_AT_FIRST):
                    raise
                self._warn(part, error)
                outlines.append(self._extraction.outline(chunk))
        return together(outlines)

    def summary(self, sections: Sequence[SectionNotes], stage: Stage) -> str:
        """One paragraph."""
        prompt = prompts.summary(sections, self._options)
        return self._or_extracted(
            stage,
            lambda: answers.summary(self._model.answer(prompt, stage.heard)),
            self._extraction.summary,
        )

    def quiz(self, sections: Sequence[SectionNotes], stage: Stage) -> tuple[Question, ...]:
        """Questions with their answers."""
        prompt = prompts.quiz(sections, self._options)
        return self._or_extracted(
            stage,
            lambda: answers.quiz(self._model.answer(prompt, stage.heard)),
            self._extraction.quiz,
        )

    def _outlined(self, chunk: Chunk, part: Stage) -> Outline:
        heading = self._extraction.heading(chunk[0])
        answer = self._model.answer(prompts.outline(chunk, self._options), part.heard)
        return answers.outline(answer, heading)

    def _or_extracted(self, stage: Stage, generate: Callable[[], T], extract: Callable[[], T]) -> T:
        stage.begin()
        try:
            return generate()
        except (BadAnswer, OutOfTime) as error:
            self._warn(stage, error)
            return extract()

    def _warn(self, stage: Stage, error: LanguageModelError) -> None:
        self.warnings.append(
            f"While {stage.message}: {error} Sentences of the document stand in for it."
        )

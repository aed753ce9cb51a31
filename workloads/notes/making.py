"""From a document to its notes: outline each part, sum up, ask questions."""

from itertools import chain

from workloads.llm import LanguageModel
from workloads.notes.document import Document
from workloads.notes.extraction import Extraction
from workloads.notes.gathering import together
from workloads.notes.generation import Generation
from workloads.notes.languages import primary, recognise
from workloads.notes.notes import Notes
from workloads.notes.payload import NotesOptions
from workloads.notes.sentences import words
from workloads.notes.stages import Stage, Watch


def make_notes(
    document: Document, *, options: NotesOptions, model: LanguageModel | None, watch: Watch
) -> Notes:
    """Notes by the model, or by extraction where there is none.

    A part for which the model gave no usable answer is extracted instead, with a warning. If the
    model fails altogether, or its server is away, `LanguageModelError` is raised: nobody who set
    up a model gets extracted notes for it unawares.
    """
    language = recognise(chain.from_iterable(map(words, document.sentences))) or primary(
        options.language
    )
    extraction = Extraction(document, language)
    if model is None:
        return _extracted(document, options, extraction, language, watch)
    return _generated(document, options, extraction, model, watch)


def _extracted(
    document: Document, options: NotesOptions, extraction: Extraction, language: str, watch: Watch
) -> Notes:
    parts = _outlining(watch).parts(len(document.sections))
    outlines = []
    for section, part in zip(document.sections, parts, strict=True):
        part.begin()
        outlines.append(extraction.outline([section]))
    _writing(watch).begin()
    return Notes(
        title=_title(document, extraction),
        summary=extraction.summary(),
        sections=together(outlines).sections,
        key_terms=extraction.terms(),
        quiz=extraction.quiz() if options.quiz else None,
        method="extractive",
        model=None,
        language=language,
        words_in=_words_in(document),
        warnings=(*document.warnings, *_unheeded(options, language)),
    )


def _generated(
    document: Document,
    options: NotesOptions,
    extraction: Extraction,
    model: LanguageModel,
    watch: Watch,
) -> Notes:
    generation = Generation(model, options, extraction)
    outline = generation.outline(document, _outlining(watch))
    summary = generation.summary(outline.sections, _writing(watch))
    quiz = generation.quiz(outline.sections, _asking(watch)) if options.quiz else None
    return Notes(
        title=_title(document, extraction),
        summary=summary,
        sections=outline.sections,
        key_terms=outline.terms or extraction.terms(),
        quiz=quiz,
        method="ai",
        model=model.name,
        language=options.language,
        words_in=_words_in(document),
        warnings=(*document.warnings, *generation.warnings),
    )


def _outlining(watch: Watch) -> Stage:
    return Stage(watch=watch, start=5, end=80, message="outlining")


def _writing(watch: Watch) -> Stage:
    return Stage(watch=watch, start=80, end=90, message="writing the summary")


def _asking(watch: Watch) -> Stage:
    return Stage(watch=watch, start=90, end=99, message="writing the quiz")


def _unheeded(options: NotesOptions, language: str) -> list[str]:
    """The wishes that only a language model could have met."""
    warnings = []
    if options.custom_prompt:
        warnings.append("The custom prompt was not used: that needs a language model.")
    if primary(options.language) != language:
        warnings.append(
            f"The notes are in the document's language ({language}), not in "
            f"{options.language}: translating needs a language model."
        )
    return warnings


def _title(document: Document, extraction: Extraction) -> str:
    return document.title or extraction.heading(document.sections[0])


def _words_in(document: Document) -> int:
    headings = [section.heading or "" for section in document.sections]
    return sum(len(words(text)) for text in (*headings, *document.sentences))

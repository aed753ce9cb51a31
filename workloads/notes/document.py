"""A document as the note takers see it: sections of paragraphs of sentences."""

from dataclasses import dataclass

Paragraph = tuple[str, ...]
"""The sentences of one paragraph or of one list item."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A heading, if there is one, and the paragraphs below it."""

    heading: str | None
    paragraphs: tuple[Paragraph, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        return tuple(sentence for paragraph in self.paragraphs for sentence in paragraph)

    @property
    def text(self) -> str:
        """The section as Markdown."""
        heading = [f"## {self.heading}"] if self.heading else []
        return "\n\n".join([*heading, *(" ".join(paragraph) for paragraph in self.paragraphs)])


@dataclass(frozen=True, kw_only=True)
class Document:
    """What was read. `warnings` tells people what was lost or left out on the way."""

    title: str | None
    sections: tuple[Section, ...]
    warnings: tuple[str, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        return tuple(sentence for section in self.sections for sentence in section.sentences)

"""The parameters of the notes job types, validated before a job is accepted."""

import base64
import binascii
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

READABLE_SUFFIXES = (".md", ".markdown", ".txt", ".text")


class StrictModel(BaseModel):
    """Refuses fields nobody declared, so that a misspelt option is an error and not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NotesOptions(StrictModel):
    """How the notes shall be made."""

    language: str = Field(
        default="en",
        pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$",
        description="Language of the notes, as in BCP 47: en, nl, pt-BR.",
    )
    custom_prompt: str | None = Field(
        default=None,
        max_length=4000,
        description="A further wish for the language model, in your own words.",
    )
    quiz: bool = Field(default=False, description="Add questions with their answers.")


def _with_a_word(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "must contain more than white space")
    return text


def _readable_name(name: str) -> str:
    if "/" in name or "\\" in name or not name.isprintable():
        raise PydanticCustomError("file_name", "must be a plain file name")
    if not name.lower().endswith(READABLE_SUFFIXES):
        suffixes = ", ".join(READABLE_SUFFIXES)
        raise PydanticCustomError(
            "file_name", "must end in one of {suffixes}", {"suffixes": suffixes}
        )
    return name


def _base64(text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise PydanticCustomError("base64", "must be base64 without line breaks") from error
    return text


Content = Annotated[str, Field(min_length=1), AfterValidator(_with_a_word)]
Title = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_with_a_word)]


class InlineFile(StrictModel):
    """A file inside the payload: plain text or Markdown."""

    name: Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_readable_name)]
    content_base64: Annotated[str, AfterValidator(_base64)]

    def content(self) -> bytes:
        """The file's bytes."""
        return base64.b64decode(self.content_base64)


# Job types take a `SourceFile`, so that a file handed in beforehand can join as a second model of a
# union here, and a payload with an inline file stays as it is.
SourceFile = InlineFile

"""The parameters of the notes job types, validated before a job is accepted."""

import base64
import binascii
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError

from jobs import InputFile
from workloads.documents import SourceDocument


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


def _plain_name(name: str) -> str:
    if "/" in name or "\\" in name or not name.isprintable():
        raise PydanticCustomError("file_name", "must be a plain file name")
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
    """A file inside the payload, which holds 256 KiB. Its content says what kind it is."""

    name: Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_plain_name)]
    content_base64: Annotated[str, AfterValidator(_base64)]
    content_type: Annotated[str, Field(max_length=255)] | None = None


def source_of(file: InlineFile | InputFile) -> SourceDocument:
    """The file as the document reader takes it. Raises FileGone if it is no more."""
    if isinstance(file, InlineFile):
        content = base64.b64decode(file.content_base64)
        return SourceDocument(name=file.name, content=content, content_type=file.content_type)
    with file.open() as stored:
        content = stored.read()
    return SourceDocument(name=file.name, content=content, content_type=file.content_type)


def _way(given: Any) -> str:
    """Which of the two ways to give a file this is; one that is none is told of the first."""
    inline = isinstance(given, InlineFile) or (isinstance(given, dict) and "file_id" not in given)
    return "inline" if inline else "stored"


SourceFile = Annotated[
    Annotated[InlineFile, Tag("inline")] | Annotated[InputFile, Tag("stored")], Discriminator(_way)
]

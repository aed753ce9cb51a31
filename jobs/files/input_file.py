"""A parameter that is a file somebody handed in.

Declare `document: InputFile`. Its JSON is `{"file_id": "…"}`, the id that `POST /files` answered;
from Python a stored file or its id will do. Whoever enqueues is told at once of a file that does
not exist, is another's, or has expired, and the file is kept until the job has ended.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any
from uuid import UUID

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from jobs.exceptions import FileGone
from jobs.secret import UNSEAL

if TYPE_CHECKING:
    from jobs.models import StoredFile

NAMED = "files"  # key of the validation context under which the named files are noted
MARK = "x-celeriac-file"  # stands in the JSON Schema of a type that takes files
KEY = "file_id"


class NamedFiles:
    """The files that a payload names, noted while it is validated.

    With `known` given, any other is refused where it stands.
    """

    def __init__(self, known: frozenset[UUID] | None = None) -> None:
        self.ids: set[UUID] = set()
        self._known = known

    def note(self, file_id: UUID) -> None:
        if self._known is not None and file_id not in self._known:
            raise PydanticCustomError("file_unknown", "no such file, or it has expired")
        self.ids.add(file_id)


class InputFile:
    """A file handed in, as job code sees it. What is known of it is read when first asked for.

    Every use raises FileGone, after which the job is not tried again, where the file is no more.
    """

    def __init__(self, file_id: UUID) -> None:
        self.id = file_id
        self._row: StoredFile | None = None

    @property
    def name(self) -> str:
        return self._stored().name

    @property
    def size(self) -> int:
        return self._stored().size

    @property
    def content_type(self) -> str:
        """As the sender said; nobody has checked it."""
        return self._stored().content_type

    @property
    def sha256(self) -> str:
        return self._stored().sha256

    def open(self) -> IO[bytes]:
        """The bytes, to read from the beginning; close it, or use it in a `with`."""
        from jobs.files.storage import storage

        try:
            return storage().open(self._stored().storage_name, "rb")
        except FileNotFoundError:
            raise FileGone(file_id=str(self.id)) from None

    def _stored(self) -> StoredFile:
        from jobs.models import StoredFile  # models load after job types are declared

        if self._row is None:
            self._row = StoredFile.objects.filter(pk=self.id).first()
        if self._row is None:
            raise FileGone(file_id=str(self.id))
        return self._row

    def __repr__(self) -> str:
        return f"InputFile('{self.id}')"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, InputFile) and self.id == other.id

    def __hash__(self) -> int:
        return hash((InputFile, self.id))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def accept(value: Any, validate: Any, info: ValidationInfo) -> InputFile:
            file = cls(validate(_reference(value))[KEY])
            _note(file.id, info.context or {})
            return file

        reference = core_schema.typed_dict_schema(
            {KEY: core_schema.typed_dict_field(core_schema.uuid_schema(), required=True)},
            extra_behavior="forbid",
        )
        return core_schema.with_info_wrap_validator_function(
            accept,
            reference,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda file: {KEY: str(file.id)}
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {
            **handler(schema["schema"]),
            "description": "A file, by the id that POST /files answered.",
            MARK: True,
        }


def _reference(value: Any) -> Any:
    """The JSON form of what Python code may give: a stored file, its id, or this type."""
    if isinstance(value, UUID):
        return {KEY: value}
    if isinstance(value, InputFile) or is_stored_file(value):
        return {KEY: value.id}
    return value


def is_stored_file(value: object) -> bool:
    return getattr(getattr(value, "_meta", None), "label", "") == "jobs.StoredFile"


def _note(file_id: UUID, context: dict[str, Any]) -> None:
    """Only where somebody looks whose the file is may a payload name one: an id that slipped
    through unseen would open another tenant's file."""
    if named := context.get(NAMED):
        named.note(file_id)
    elif not context.get(UNSEAL):  # what is stored has been looked at
        raise PydanticCustomError("file_not_here", "a file cannot be named here")

"""What the search box means by what was typed into it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

from jobs import registry
from jobs.failures import column_of

FORMS = (
    ("an id", "0199a1c0-5e1f-7…", "whole, or its first 8 characters or more"),
    ("a type", "type:reports.render", "or just the name of a known type"),
    (
        "a label",
        "order:1234",
        "key:value, exactly; label:key:x where the key is a word used here",
    ),
    ("a unique key", "key:nightly", "or just a word that is no type"),
    ("an owner", "owner:ada", ""),
    ("a batch", "batch:0199a1c0-5e1f-7…", "its whole id"),
    ("dead letters that failed alike", "failure:5f2c…", "by their fingerprint"),
)
_ID_START = re.compile(r"[0-9a-f]{8}[0-9a-f-]{0,28}\Z")


@dataclass(frozen=True, kw_only=True)
class Understood:
    """At most one of the fields is set. `sentence` says it to the person."""

    sentence: str = ""
    ids: tuple[UUID, UUID] | None = None
    type: str = ""
    label: tuple[str, str] | None = None
    unique_key: str = ""
    owner: str = ""
    batch: UUID | None = None
    failure: str | None = None  # the fingerprint, which may be empty


def understood(text: str) -> Understood:
    text = text.strip()
    if not text:
        return Understood()
    word, colon, rest = text.partition(":")
    if colon and (meant := _PREFIXES.get(word.lower())) and rest.strip():
        return meant(rest.strip())
    if (ids := _ids(text)) is not None:
        return ids
    if colon:
        return _label(text)
    known = {kind.name for kind in registry.public()}
    return _type(text) if text in known else _key(text)


def _ids(text: str) -> Understood | None:
    """The ids that begin so: a range, since a UUID sorts by its characters."""
    if not _ID_START.match(text.lower()):
        return None
    start = text.lower().replace("-", "")
    if len(start) > 32:
        return None
    ids = (UUID(start.ljust(32, "0")), UUID(start.ljust(32, "f")))
    words = "the job with the id" if len(start) == 32 else "jobs whose id begins with"
    return Understood(ids=ids, sentence=f"{words} “{text}”")


def _id(text: str) -> Understood:
    return _ids(text) or Understood(
        ids=(UUID(int=0), UUID(int=0)), sentence=f"the id “{text}”, which is none"
    )


def _type(text: str) -> Understood:
    return Understood(type=text, sentence=f"jobs of the type “{text}”")


def _label(text: str) -> Understood:
    key, _, value = text.partition(":")
    return Understood(label=(key, value), sentence=f"jobs labelled “{key}: {value}”")


def _key(text: str) -> Understood:
    return Understood(unique_key=text, sentence=f"jobs with the unique key “{text}”")


def _owner(text: str) -> Understood:
    return Understood(owner=text, sentence=f"jobs of the owner “{text}”")


def _failure(text: str) -> Understood:
    sentence = f"dead letters that failed alike, fingerprint “{text}”"
    return Understood(failure=column_of(text), sentence=sentence)


def _batch(text: str) -> Understood:
    try:
        batch = UUID(text)
    except ValueError:
        batch = UUID(int=0)
    return Understood(batch=batch, sentence=f"jobs of the batch “{text}”")


_PREFIXES = {
    "id": _id, "type": _type, "label": _label, "key": _key, "owner": _owner, "batch": _batch,
    "failure": _failure,
}  # fmt: skip

"""What a sender says of a file, made harmless. It is shown to people and never used as a path."""

from __future__ import annotations

import re
import unicodedata

MAX_LENGTH = 255
NAMELESS = "file"
UNKNOWN_TYPE = "application/octet-stream"

_MAX_SUFFIX = 20
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")
# Controls; what is invisible and may turn text around; halves of pairs, which UTF-8 cannot say.
_UNSHOWABLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def cleaned(name: str) -> str:
    """The last part of a path of any system, of printable characters, at most MAX_LENGTH."""
    last = re.split(r"[/\\]", name)[-1]
    shown = "".join(one for one in last if unicodedata.category(one) not in _UNSHOWABLE).strip()
    return _shortened(shown) if shown.strip(".") else NAMELESS


def _shortened(name: str) -> str:
    """A long name loses the end of its stem, and keeps what tells the kind of file."""
    if len(name) <= MAX_LENGTH:
        return name
    stem, dot, suffix = name.rpartition(".")
    if not stem or len(suffix) > _MAX_SUFFIX:
        return name[:MAX_LENGTH]
    return stem[: MAX_LENGTH - len(dot + suffix)] + dot + suffix


def media_type(declared: str) -> str:
    """The declared type without its parameters, or UNKNOWN_TYPE where it is none."""
    bare = declared.partition(";")[0].strip().lower()
    return bare if len(bare) <= MAX_LENGTH and _MEDIA_TYPE.fullmatch(bare) else UNKNOWN_TYPE

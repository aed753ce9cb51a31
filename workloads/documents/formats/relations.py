"""How the parts of an Office document point at each other."""

from posixpath import dirname, join, normpath

from workloads.documents.archive import Archive
from workloads.documents.errors import UnreadableDocument
from workloads.documents.limits import Limits
from workloads.documents.markup import attribute, parse_xml


def main_part(archive: Archive, limits: Limits, *, fallback: str) -> str:
    """The name of the part that the document begins with."""
    try:
        found = related(archive, "", limits, kind="officeDocument")
    except UnreadableDocument:
        found = {}
    return next(iter(found.values()), fallback)


def related(archive: Archive, part: str, limits: Limits, *, kind: str) -> dict[str, str]:
    """The parts that `part` points at as that kind: relation id to name, without the outside."""
    name = join(dirname(part), "_rels", part.rpartition("/")[2] + ".rels")
    if name not in archive.names:
        return {}
    return {
        attribute(relation, "Id") or "": _resolved(part, attribute(relation, "Target") or "")
        for relation in parse_xml(archive.read(name), limits)
        if (attribute(relation, "Type") or "").endswith(f"/{kind}")
        and attribute(relation, "TargetMode") != "External"
    }


def _resolved(part: str, target: str) -> str:
    return normpath(join("/", dirname(part), target)).lstrip("/")

"""XML of strangers to elements: no DTD, no entities, no depth without end."""

from collections.abc import Container, Iterator
from io import BytesIO
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from workloads.documents.errors import DangerousDocument, OversizedDocument, UnreadableDocument
from workloads.documents.limits import Limits


def parse_xml(content: bytes, limits: Limits) -> Element:
    """The root element; raises a `DocumentError` for what is broken or should not be there."""
    try:
        return _parsed(content, limits.depth)
    except DefusedXmlException as error:
        raise DangerousDocument(
            "The document declares XML entities or a DTD, and was not read."
        ) from error
    except (ParseError, ValueError, LookupError) as error:  # the latter: an unknown encoding
        raise UnreadableDocument(reason="damaged XML") from error


def _parsed(content: bytes, deepest: int) -> Element:
    depth = 0
    root: Element | None = None
    for event, element in iterparse(BytesIO(content), events=("start", "end"), forbid_dtd=True):
        root = element if root is None else root
        depth += 1 if event == "start" else -1
        if depth > deepest:
            raise OversizedDocument("The document is nested too deep.", limit="depth")
    if root is None:
        raise UnreadableDocument(reason="empty XML")
    return root


def local_name(element: Element) -> str:
    """The tag without its namespace."""
    return element.tag.rpartition("}")[2]


def parts_named(
    element: Element, name: str, wrappers: Container[str] = frozenset()
) -> Iterator[Element]:
    """The children of that local name, also through wrappers, but never those inside each other."""
    for part in element:
        if local_name(part) == name:
            yield part
        elif local_name(part) in wrappers:
            yield from parts_named(part, name, wrappers)


def attribute(element: Element, name: str) -> str | None:
    """The attribute of that local name, whatever namespace it is in."""
    for key, value in element.attrib.items():
        if key.rpartition("}")[2] == name:
            return value
    return None


def child(element: Element, *path: str) -> Element | None:
    """The first descendant along local names."""
    found: Element | None = element
    for name in path:
        if found is None:
            return None
        found = next((one for one in found if local_name(one) == name), None)
    return found

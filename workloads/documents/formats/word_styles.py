"""Which of a Word document's styles are headings and which are lists."""

import re
from dataclasses import dataclass, replace
from xml.etree.ElementTree import Element

from workloads.documents.markup import attribute, child, local_name

_HEADING = re.compile(r"heading ([1-9])", re.IGNORECASE)
_LONGEST_CHAIN = 20


@dataclass(frozen=True, kw_only=True)
class Style:
    """What a paragraph is; `level` is that of a heading, from 1, or 0."""

    level: int = 0
    is_list: bool = False

    def with_own(self, properties: Element) -> "Style":
        """The style as changed by a paragraph's own properties."""
        level = _outline_level(properties)
        listed = _is_list(properties)
        return replace(
            self,
            level=self.level if level is None else level,
            is_list=self.is_list if listed is None else listed,
        )


PLAIN = Style()


def styles_of(root: Element) -> dict[str, Style]:
    """The paragraph styles by their id, each with what it inherits."""
    declared = {
        attribute(style, "styleId") or "": style for style in root if local_name(style) == "style"
    }
    return {name: _inherited(name, declared) for name in declared}


def _inherited(name: str, declared: dict[str, Element]) -> Style:
    chain: list[Element] = []
    while name in declared and len(chain) < _LONGEST_CHAIN:  # a style may be based on itself
        chain.append(declared[name])
        based_on = child(declared[name], "basedOn")
        name = (attribute(based_on, "val") or "") if based_on is not None else ""
    style = PLAIN
    for element in reversed(chain):
        style = _own(element, style)
    return style


def _own(element: Element, inherited: Style) -> Style:
    properties = child(element, "pPr")
    style = inherited if properties is None else inherited.with_own(properties)
    named = child(element, "name")
    name = (attribute(named, "val") or "") if named is not None else ""
    if match := _HEADING.fullmatch(name):
        return replace(style, level=int(match[1]))
    return replace(style, level=1) if name.lower() == "title" else style


def _outline_level(properties: Element) -> int | None:
    outline = child(properties, "outlineLvl")
    value = attribute(outline, "val") if outline is not None else None
    if value is None or not value.isdecimal():
        return None
    return int(value) + 1 if int(value) < 9 else 0  # 9 is the level of text


def _is_list(properties: Element) -> bool | None:
    number = child(properties, "numPr", "numId")
    return None if number is None else attribute(number, "val") != "0"

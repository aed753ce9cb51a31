"""Web pages: the main text, without menus, banners and footers."""

import re
from itertools import islice

import trafilatura
from lxml import html
from trafilatura.settings import Document

from workloads.documents.formats.html_blocks import html_blocks, parse_html
from workloads.documents.limited import Gathering
from workloads.documents.limits import Limits
from workloads.documents.source import SourceDocument

# Trafilatura answers in the words of TEI.
_IN_HTML = {"list": "ul", "item": "li", "quote": "blockquote", "lb": "br", "row": "tr"}
_CHARSET = re.compile(r"charset=[\"']?([\w.:-]+)", re.IGNORECASE)
_AROUND = ("header", "footer", "aside")


def read(source: SourceDocument, limits: Limits, gathering: Gathering) -> None:
    """Gather the main text, or all of it where no part stands out."""
    declared = _CHARSET.search(source.content_type or "")
    root = parse_html(source.content, limits, declared[1] if declared else None)
    gathering.title = _title(root)
    main = _main_text(root)
    for block in html_blocks(_without_surroundings(root) if main is None else main):
        gathering.add(block)


def _title(root: html.HtmlElement) -> str:
    headings = [*islice(root.iter("h1"), 2)]
    return str(headings[0].text_content()) if len(headings) == 1 else root.findtext(".//title", "")


def _main_text(root: html.HtmlElement) -> html.HtmlElement | None:
    page = trafilatura.bare_extraction(
        root, include_comments=False, include_tables=True, include_formatting=True
    )
    if not isinstance(page, Document) or not len(page.body):
        return None
    for element in page.body.iter():
        element.tag = _tag_in_html(element)
    return page.body


def _tag_in_html(element: html.HtmlElement) -> str:
    if element.tag == "head":
        return str(element.get("rend") or "h2")
    if element.tag == "code" and (len(element) or element.getparent().tag == "body"):
        return "pre"
    return _IN_HTML.get(element.tag, "td" if element.tag == "cell" else str(element.tag))


def _without_surroundings(root: html.HtmlElement) -> html.HtmlElement:
    for element in [*root.iter(*_AROUND)]:
        element.drop_tree()
    return root

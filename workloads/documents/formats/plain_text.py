"""Plain text and Markdown."""

from workloads.documents.decoding import decode
from workloads.documents.limited import Gathering
from workloads.documents.limits import Limits
from workloads.documents.markdown import blocks
from workloads.documents.source import SourceDocument


def read(source: SourceDocument, limits: Limits, gathering: Gathering) -> None:
    """Gather the blocks, with a warning if characters were damaged."""
    decoded = decode(source.content)
    for warning in decoded.warnings:
        gathering.warn(warning)
    for block in blocks(decoded.text):
        gathering.add(block)
        if gathering.is_full:
            return

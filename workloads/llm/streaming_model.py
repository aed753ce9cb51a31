"""A language model behind HTTP, in either dialect."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field

from workloads.llm.dialects import Dialect
from workloads.llm.errors import BadAnswer
from workloads.llm.model import Heard, Prompt
from workloads.llm.stream import Call, streamed_lines


@dataclass(frozen=True, kw_only=True)
class StreamingModel:
    """A model on a server; `total_seconds` bounds one answer, connecting included."""

    name: str
    base_url: str
    dialect: Dialect
    total_seconds: float
    api_key: str = field(default="", repr=False)

    def answer(self, prompt: Prompt, heard: Heard) -> str:
        """The complete answer, never empty; raises `LanguageModelError`."""
        pieces: list[str] = []
        with closing(streamed_lines(self._call(prompt), lambda: heard(len(pieces)))) as lines:
            finished = self._collect(lines, pieces, heard)
        text = "".join(pieces).strip()
        if not finished:
            raise BadAnswer("The language model's answer broke off.")
        if not text:
            raise BadAnswer("The language model's answer was empty.")
        return text

    def _collect(self, lines: Iterator[bytes], pieces: list[str], heard: Heard) -> bool:
        """Whether the answer was brought to its end."""
        for line in lines:
            piece = self.dialect.piece(line)
            if piece.text:
                pieces.append(piece.text)
                heard(len(pieces))
            if piece.last:
                return True
        return False

    def _call(self, prompt: Prompt) -> Call:
        return Call(
            url=self.base_url.rstrip("/") + self.dialect.path,
            body=self.dialect.question(self.name, prompt),
            headers={"Authorization": f"Bearer {self.api_key}"} if self.api_key else {},
            total_seconds=self.total_seconds,
        )

"""The two ways in which servers stream a chat: Ollama's, and the one OpenAI began.

A dialect is pure: it says what to send and what a received line means.

- Ollama: one JSON object a line, the last with `"done": true`
  (https://github.com/ollama/ollama/blob/main/docs/api.md).
- OpenAI-style: server-sent events, each a JSON object behind `data:`, the last one `[DONE]`
  (https://platform.openai.com/docs/api-reference/chat/streaming).
"""

import json
from dataclasses import dataclass
from typing import Any, Protocol

from workloads.llm.errors import BadAnswer
from workloads.llm.model import Prompt


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A part of an answer; `last` ends it."""

    text: str = ""
    last: bool = False


class Dialect(Protocol):
    """How to ask, and how to read one line of the answer."""

    path: str

    def question(self, model: str, prompt: Prompt) -> dict[str, Any]:
        """The request's JSON body."""

    def piece(self, line: bytes) -> Piece:
        """What a line says; raises `BadAnswer` where it says nothing that can be understood."""


class Ollama:
    """Ollama's own `/api/chat`."""

    path = "/api/chat"

    def question(self, model: str, prompt: Prompt) -> dict[str, Any]:
        return {"model": model, "messages": _messages(prompt), "stream": True}

    def piece(self, line: bytes) -> Piece:
        if not line.strip():
            return Piece()
        said = _json_object(line)
        if "error" in said:
            raise BadAnswer("The language model's server reported an error in its answer.")
        message = said.get("message")
        text = message.get("content") if isinstance(message, dict) else ""
        return Piece(text=_text(text), last=said.get("done") is True)


class OpenAIStyle:
    """`/chat/completions` as OpenAI, llama.cpp, vLLM, LM Studio and others serve it."""

    path = "/chat/completions"

    def question(self, model: str, prompt: Prompt) -> dict[str, Any]:
        return {"model": model, "messages": _messages(prompt), "stream": True}

    def piece(self, line: bytes) -> Piece:
        field, _, value = line.partition(b":")
        value = value.strip()
        if field != b"data" or not value:
            return Piece()  # blank lines, comments and other fields of an event stream
        if value == b"[DONE]":
            return Piece(last=True)
        said = _json_object(value)
        if "error" in said:
            raise BadAnswer("The language model's server reported an error in its answer.")
        return _first_choice(said)


def _first_choice(said: dict[str, Any]) -> Piece:
    choices = said.get("choices")
    if not choices:
        return Piece()  # an event that carries usage figures only
    if not isinstance(choices, list) or not isinstance(choices[0], dict):
        raise BadAnswer("The language model's answer was not in the agreed form.")
    delta = choices[0].get("delta")
    text = delta.get("content") if isinstance(delta, dict) else ""
    return Piece(text=_text(text), last=bool(choices[0].get("finish_reason")))


def _messages(prompt: Prompt) -> list[dict[str, str]]:
    return [
        {"role": "system", "content": prompt.system},
        {"role": "user", "content": prompt.user},
    ]


def _json_object(line: bytes) -> dict[str, Any]:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadAnswer("The language model's answer was not JSON.") from error
    if not isinstance(said, dict):
        raise BadAnswer("The language model's answer was not in the agreed form.")
    return said


def _text(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadAnswer("The language model's answer was not in the agreed form.")
    return value

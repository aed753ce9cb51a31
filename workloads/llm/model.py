"""What a caller knows of a language model."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

Heard = Callable[[int], None]
"""Called with the number of pieces (about one token each) received so far, several times a second
even while none arrive. It may raise to end the conversation, for example when a job is cancelled.
"""


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """A question: how to behave, and what to work on."""

    system: str
    user: str


class LanguageModel(Protocol):
    """Anything that answers a prompt with text."""

    @property
    def name(self) -> str:
        """The model's name as its server knows it."""

    def answer(self, prompt: Prompt, heard: Heard) -> str:
        """The complete answer, never empty; raises `LanguageModelError`."""

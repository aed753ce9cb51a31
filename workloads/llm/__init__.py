"""A small client for language models: one question, one streamed answer.

The door of the package; the rest of it is free to change.
"""

from workloads.llm.configured import configured_model
from workloads.llm.errors import (
    BadAnswer,
    Busy,
    LanguageModelError,
    OutOfTime,
    Refused,
    Unavailable,
)
from workloads.llm.model import Heard, LanguageModel, Prompt

__all__ = [
    "BadAnswer",
    "Busy",
    "Heard",
    "LanguageModel",
    "LanguageModelError",
    "OutOfTime",
    "Prompt",
    "Refused",
    "Unavailable",
    "configured_model",
]

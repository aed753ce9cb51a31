"""Which language model the settings name."""

from django.conf import settings

from workloads.llm.dialects import Ollama, OpenAIStyle
from workloads.llm.model import LanguageModel
from workloads.llm.streaming_model import StreamingModel


def configured_model() -> LanguageModel | None:
    """The model of `OLLAMA_BASE_URL`, else of `LLM_BASE_URL`, else None.

    An `OPENAI_API_KEY` alone names no server: many shells carry one, and nobody's documents leave
    the machine because of that.
    """
    if settings.OLLAMA_BASE_URL:
        return StreamingModel(
            name=settings.OLLAMA_MODEL,
            base_url=settings.OLLAMA_BASE_URL,
            dialect=Ollama(),
            total_seconds=settings.OLLAMA_TIMEOUT,
        )
    if settings.LLM_BASE_URL:
        return StreamingModel(
            name=settings.LLM_MODEL,
            base_url=settings.LLM_BASE_URL,
            dialect=OpenAIStyle(),
            total_seconds=settings.OLLAMA_TIMEOUT,
            api_key=settings.OPENAI_API_KEY,
        )
    return None

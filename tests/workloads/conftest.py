"""No language model is configured unless a test says so, whatever the developer's environment."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.workloads.model_server import ModelServer


@pytest.fixture(autouse=True)
def no_language_model(settings: Settings) -> None:
    settings.OLLAMA_BASE_URL = ""
    settings.OLLAMA_MODEL = "llama3.1"
    settings.OLLAMA_TIMEOUT = 10.0
    settings.LLM_BASE_URL = ""
    settings.LLM_MODEL = ""
    settings.OPENAI_API_KEY = ""


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server

"""System checks of the workloads' settings."""

import pytest
from pytest_django import Settings

from workloads.checks import language_model_settings


@pytest.mark.parametrize(
    ("values", "ids"),
    [
        ({}, []),
        ({"OLLAMA_BASE_URL": "http://localhost:11434"}, []),
        ({"OLLAMA_BASE_URL": "localhost:11434"}, ["workloads.E001"]),
        ({"OLLAMA_BASE_URL": "http://me:secret@localhost:11434"}, ["workloads.E001"]),
        ({"OLLAMA_BASE_URL": "http://localhost:99999"}, ["workloads.E001"]),
        ({"LLM_BASE_URL": "https://llm.example/v1", "LLM_MODEL": "m"}, []),
        ({"LLM_BASE_URL": "https://llm.example/v1"}, ["workloads.E002"]),
        ({"OLLAMA_TIMEOUT": 0.0}, ["workloads.E003"]),
        ({"OLLAMA_TIMEOUT": float("nan")}, ["workloads.E003"]),
    ],
)
def test_settings_that_cannot_work_are_reported(
    settings: Settings, values: dict[str, object], ids: list[str]
) -> None:
    for name, value in values.items():
        setattr(settings, name, value)

    assert [finding.id for finding in language_model_settings()] == ids

"""System checks of the workloads' settings."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from jobs.egress import RefusedURL, parse


@register
def language_model_settings(**_: Any) -> list[CheckMessage]:
    """Report settings under which no language model could ever answer."""
    findings: list[CheckMessage] = [
        Error(
            f"{name} is not an http or https URL.",
            hint="Write it like http://localhost:11434, without the path of an endpoint, a user "
            "name or a password.",
            id="workloads.E001",
        )
        for name in ("OLLAMA_BASE_URL", "LLM_BASE_URL")
        if not _is_base_url(getattr(settings, name))
    ]
    if settings.LLM_BASE_URL and not settings.LLM_MODEL:
        findings.append(
            Error(
                "LLM_BASE_URL is set, but LLM_MODEL is not.",
                hint="Name a model which that server offers.",
                id="workloads.E002",
            )
        )
    if not settings.OLLAMA_TIMEOUT > 0:
        findings.append(
            Error("OLLAMA_TIMEOUT must be above zero (seconds).", hint=None, id="workloads.E003")
        )
    return findings


def _is_base_url(value: str) -> bool:
    if not value:
        return True
    try:
        parse(value)
    except RefusedURL:
        return False
    return True

"""The compose file hands every setting on."""

from __future__ import annotations

from typing import Any

import yaml

from config.bootstrap import ROOT


def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker" / "compose.yml").read_text())
    return dict(found["services"])


def test_each_process_of_ours_is_given_all_settings_of_the_env_file() -> None:
    ours = {name: one for name, one in services().items() if one["image"] == "celeriac"}
    assert {"prepare", "web", "dispatcher", "worker", "webhooks", "beat", "flower"} == set(ours)
    for service in ours.values():
        assert service["env_file"] == [{"path": ".env", "required": False}]


def test_no_default_of_the_compose_file_hides_a_setting_of_the_env_file() -> None:
    own = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ALLOWED_HOSTS", "LOG_LEVEL"}
    assert set(services()["dispatcher"]["environment"]) == own

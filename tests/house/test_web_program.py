"""How the supervised web process is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.supervision.programs import PlatformOptions, platform_programs


def web(*proxies: str) -> list[str]:
    options = PlatformOptions(
        host="127.0.0.1", port=8000, flower_port=5555, flower_login="a:b", slots=1,
        soft_stop_seconds=1.0, log_level="INFO", trusted_proxies=proxies,
    )  # fmt: skip
    [program] = [one for one in platform_programs(options, Path()) if one.name == "web"]
    return list(program.order.argv)


def test_no_caller_says_from_where_it_comes() -> None:
    assert "--no-proxy-headers" in web()
    assert "--proxy-headers" not in web()


@pytest.mark.parametrize("proxies", [("127.0.0.1",), ("10.0.0.0/8", "::1")])
def test_trusted_proxies_say_it(proxies: tuple[str, ...]) -> None:
    argv = web(*proxies)
    assert "--no-proxy-headers" not in argv
    assert {"--proxy-headers", f"--forwarded-allow-ips={','.join(proxies)}"} <= set(argv)

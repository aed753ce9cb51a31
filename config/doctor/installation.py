"""Is the installation what was locked, and are its settings safe?"""

import ipaddress
import sys
from importlib.metadata import PackageNotFoundError, version

from django.conf import settings
from packaging.requirements import Requirement

from config.doctor.finding import Finding, fail, ok, warn

_OLDEST_PYTHON = (3, 11)
_SHORTEST_KEY = 32


def python() -> Finding:
    """The interpreter is one that Celeriac supports."""
    have = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < _OLDEST_PYTHON:
        return fail("Python", have, "Use Python 3.11 or newer.")
    return ok("Python", have)


def packages() -> Finding:
    """Each installed package has the version that the lock file names."""
    pins = _pins((settings.BASE_DIR / "requirements" / "base.txt").read_text())
    wrong = [
        f"{name} {have} instead of {pin}" for name, pin in pins if (have := _installed(name)) != pin
    ]
    if wrong:
        return warn(
            "Packages",
            f"{len(wrong)} of {len(pins)} differ from the lock file: {'; '.join(wrong[:5])}",
            "python -m pip install --require-hashes -r requirements/base.txt",
        )
    return ok("Packages", f"{len(pins)} as locked")


def debug() -> Finding:
    """Debug pages show settings and source to whoever meets an error."""
    if not settings.DEBUG:
        return ok("DEBUG", "off")
    report = warn if _is_loopback(settings.HOST) else fail
    return report("DEBUG", "on: error pages show settings and source", "Unset DEBUG.")


def secret_key() -> Finding:
    """The key that signs sessions and encrypts secret parameters cannot be guessed."""
    length = len(settings.SECRET_KEY)
    if length < _SHORTEST_KEY or settings.SECRET_KEY.startswith("django-insecure-"):
        return fail(
            "SECRET_KEY",
            f"{length} characters, or a sample",
            "Unset it and let Celeriac make one in CELERIAC_HOME, or set 50 random characters; "
            "move the old one to SECRET_KEY_FALLBACKS.",
        )
    return ok("SECRET_KEY", f"{length} characters")


def allowed_hosts() -> Finding:
    """Requests for any host name invite forged links and cache poisoning."""
    if "*" in settings.ALLOWED_HOSTS:
        return fail("ALLOWED_HOSTS", "takes every host name", "Name the hosts that you serve.")
    return ok("ALLOWED_HOSTS", ", ".join(settings.ALLOWED_HOSTS))


def _pins(lock: str) -> list[tuple[str, str]]:
    """(name, version) of each line of a lock file that applies to this machine."""
    lines = [line.removesuffix("\\").strip() for line in lock.splitlines()]
    requirements = [Requirement(line) for line in lines if line and line[0].isalnum()]
    return [
        (requirement.name, next(iter(requirement.specifier)).version)
        for requirement in requirements
        if requirement.marker is None or requirement.marker.evaluate()
    ]


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(missing)"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

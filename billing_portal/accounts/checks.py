"""System checks: what makes the demo easy to try must not reach a real server unnoticed.

The plain ones run before every command. `check --deploy` is asked by somebody who is about to let
others in, so there the demo is wrong whatever the hosts are.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks

LOCAL = {"localhost", "127.0.0.1", "[::1]", ".localhost", "testserver"}

DEMO_HINT = (
    "The demo shows its logins to anyone, lets a provider have any address, and writes mails to "
    "files. Take DEMO=true out of .env or the environment."
)
HTTP_HINT = (
    "Passwords and session cookies would cross the network in the clear. Take HTTPS_ONLY=false out."
)


def reached_by_others() -> list[str]:
    """The hosts that are not this machine."""
    return [host for host in settings.ALLOWED_HOSTS if host not in LOCAL]


@checks.register(checks.Tags.security)
def demo_stays_here(**_options: Any) -> list[checks.CheckMessage]:
    others = reached_by_others()
    if settings.DEBUG or not others:
        return []
    found: list[checks.CheckMessage] = []
    if settings.DEMO:
        found.append(
            checks.Error(
                f"DEMO is true, but ALLOWED_HOSTS lets others in ({', '.join(others)}).",
                hint=DEMO_HINT,
                id="portal.E001",
            )
        )
    if not settings.HTTPS_ONLY:
        found.append(
            checks.Warning(
                f"HTTPS_ONLY is false, but ALLOWED_HOSTS lets others in ({', '.join(others)}).",
                hint=HTTP_HINT,
                id="portal.W001",
            )
        )
    return found


@checks.register(checks.Tags.security, deploy=True)
def ready_for_a_real_server(**_options: Any) -> list[checks.CheckMessage]:
    found: list[checks.CheckMessage] = []
    if settings.DEMO:
        found.append(
            checks.Error("DEMO is true on a real server.", hint=DEMO_HINT, id="portal.E002")
        )
    if not settings.HTTPS_ONLY:
        found.append(
            checks.Error("HTTPS_ONLY is false on a real server.", hint=HTTP_HINT, id="portal.E003")
        )
    if settings.BASE_URL.startswith("http://"):
        found.append(
            checks.Warning(
                f"BASE_URL is {settings.BASE_URL}: links in mails would not lead to the portal, "
                "or not by HTTPS.",
                hint="Set it to where people reach the portal, as https://billing.example.com.",
                id="portal.W002",
            )
        )
    if not settings.BOOKS_KEYS:
        found.append(
            checks.Warning(
                "BOOKS_KEYS is not set: the books are sealed with a key made from SECRET_KEY, "
                "which can then never be changed.",
                hint="`manage.py rotate_books_key` writes one into .env.",
                id="portal.W003",
            )
        )
    if any(len(key) < 32 for key in settings.BOOKS_KEYS):
        found.append(
            checks.Error(
                "A key of BOOKS_KEYS is shorter than 32 characters: it could be guessed.",
                hint="`manage.py rotate_books_key` makes a good one.",
                id="portal.E004",
            )
        )
    return found

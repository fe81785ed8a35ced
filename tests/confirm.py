"""What a person does before an act that cannot be undone: open its page, then press its button."""

from __future__ import annotations

import re
from typing import Any

from django.test import Client as Browser

from billing_portal.idempotency import new_key

_TOKEN = re.compile(r'name="confirmed" value="([^"]*)"')


def token_on(page: Any) -> str:
    """The token of what the page shows; empty when it asks for no confirmation."""
    found = _TOKEN.search(page.content.decode())
    return found[1] if found else ""


def confirm(
    browser: Browser, url: str, data: dict[str, Any] | None = None, *, at: str = "", **options: Any
) -> Any:
    """Look at the page (`at`, else the act's own), then press its button as it was shown."""
    token = token_on(browser.get(at or url))
    return browser.post(url, {"confirmed": token, "once": new_key(), **(data or {})}, **options)

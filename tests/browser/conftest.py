"""A browser that complains: a console error or a broken security policy fails the test.

Chromium is Debian's (/usr/bin/chromium) where it exists, else the one that Playwright installed;
without either these tests are skipped, and say so.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as django_settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.staticfiles.handlers import StaticFilesHandler
from playwright.sync_api import Browser, BrowserContext, Error, Page, Request, sync_playwright

DEBIAN = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
]
# At rest is what was seen at rest this often in a row: between a script's arrival and the request
# that it makes there is a moment with nothing under way.
QUIET_LOOKS, LOOK_EVERY_MS = 3, 20
_BUSY = """() => document.readyState !== 'complete' || document.fonts.status === 'loading'
  || Boolean(document.querySelector('.htmx-request'))"""
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
# Playwright's synchronous interface runs an event loop, in which Django refuses its database.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    missing = (
        "No Chromium for the browser tests: install Debian's packages chromium and libatomic1, or "
        "run `playwright install chromium` (%s)."
    )
    try:
        driver = sync_playwright().start()
    except Exception as problem:
        # The driver says "Connection closed" when it could not even start.
        pytest.skip(missing % problem)
    path = str(DEBIAN) if DEBIAN.exists() else None
    try:
        browser = driver.chromium.launch(executable_path=path, args=ARGUMENTS)
    except Error as problem:
        driver.stop()
        pytest.skip(missing % str(problem).strip().splitlines()[0])
    yield browser
    browser.close()
    driver.stop()


@pytest.fixture
def live_site(live_server, settings, monkeypatch):
    """The site over real HTTP, with the security policy and static files of production."""
    settings.DEBUG = False
    settings.ALLOWED_HOSTS = ["*"]
    # Kept by the browser as in production, where their names tell versions apart: each page would
    # ask for some thirty files again.
    serve = StaticFilesHandler.serve

    def kept(self, request):
        answer = serve(self, request)
        # For years: the server's clock stands, and Chromium reckons by its own.
        answer["Cache-Control"] = "max-age=315360000, immutable"
        return answer

    monkeypatch.setattr(StaticFilesHandler, "serve", kept)
    return live_server


class Complaints:
    """What the console, the network and the security policy found wrong."""

    def __init__(self, page: Page) -> None:
        self.found: list[str] = []
        # Substrings that a test expects to see, for instance "status of 422".
        # A page that is left aborts what it was still asking for, and htmx logs that; an answer
        # that was refused or never came is logged under other names beside htmx:afterRequest.
        self.expected: list[str] = ["status of 422", "htmx:sendAbort", "htmx:afterRequest"]
        self.under_way: set[Request] = set()
        page.on("request", lambda request: self.under_way.add(request))
        page.on("requestfinished", lambda request: self.under_way.discard(request))
        page.on("requestfailed", lambda request: self.under_way.discard(request))
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.found.append(f"script: {error}"))
        page.on("requestfailed", self._failed)

    def _console(self, message) -> None:
        if message.type in {"error", "warning"}:
            self.found.append(f"{message.type}: {message.text}")

    def _failed(self, request) -> None:
        # A page that is left aborts what it was still fetching.
        if "ERR_ABORTED" not in str(request.failure):
            self.found.append(f"request failed: {request.url} {request.failure}")

    def unexpected(self) -> list[str]:
        return [text for text in self.found if not any(part in text for part in self.expected)]


def new_context(chromium: Browser, **options) -> BrowserContext:
    return chromium.new_context(
        **{
            "viewport": {"width": 1440, "height": 900},
            "locale": "en-GB",
            "timezone_id": "Europe/Paris",
            "reduced_motion": "reduce",
            **options,
        }
    )


@pytest.fixture
def context(chromium) -> Iterator[BrowserContext]:
    context = new_context(chromium)
    yield context
    context.close()


@pytest.fixture
def page(context, live_site) -> Iterator[Page]:
    """A page of the live site; `page.complaints.expected` names console messages that are meant."""
    page = context.new_page()
    page.set_default_timeout(10_000)
    complaints = Complaints(page)
    page.complaints = complaints
    yield page
    assert complaints.unexpected() == []


def sign_in(page: Page, live_server, user, path: str = "") -> None:
    """Sign the person in without the form, then open `path` if given."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = BACKEND
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    page.context.add_cookies(
        [
            {
                "name": django_settings.SESSION_COOKIE_NAME,
                "value": session.session_key,
                "url": live_server.url,
            }
        ]
    )
    if path:
        page.goto(f"{live_server.url}{path}")


def axe(page: Page, *, ignore: tuple[str, ...] = ()) -> None:
    """Nothing that axe-core calls serious or critical."""
    # axe is put into the page by the debugger, which the security policy does not hold.
    # Only what is wrong is written out, and nothing is fetched again for a rule about the way a
    # screen is held: that takes a third off some two hundred pages.
    options = {
        "preload": False,
        "resultTypes": ["violations"],
        "rules": {name: {"enabled": False} for name in ignore},
    }
    found = Axe().run(page, options=options).response["violations"]
    bad = [
        f"{each['id']} ({each['impact']}): {each['help']} at "
        + "; ".join(node["html"][:160] for node in each["nodes"][:3])
        for each in found
        if each["impact"] in {"serious", "critical"}
    ]
    assert bad == [], f"{page.url}: {bad}"


def settled(page: Page) -> None:
    """Wait until the network, htmx and the fonts are at rest.

    Playwright's own "networkidle" sleeps half a second on top, on each of some three hundred pages.
    """
    page.wait_for_load_state("load")
    quiet, until = 0, monotonic() + 15
    while quiet < QUIET_LOOKS:
        under_way = page.complaints.under_way
        busy = page.evaluate(_BUSY) or under_way
        assert monotonic() < until, f"{page.url} does not come to rest: {under_way}"
        quiet = 0 if busy else quiet + 1
        page.wait_for_timeout(LOOK_EVERY_MS)

"""What every test may ask for."""

from __future__ import annotations

import gc

import hypothesis
import pytest
from django.core.management.commands import flush
from django.core.signals import got_request_exception
from django.db import connections
from django.db.backends.postgresql import creation as postgresql_creation
from django.test import Client as Browser
from django.utils import translation

from billing_portal.accounts.models import User
from invoices.documents.pdf import render
from invoices.models import database_rules
from tests import clock, layout
from tests.factories import make_user
from tests.made_database import copy_what_is_made

# A shared machine may be slow for a moment: that is no finding.
hypothesis.settings.register_profile(
    "portal", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("portal")


copy_what_is_made()
# The collector looks over everything that was imported again and again, for an eighth of the time.
gc.set_threshold(100_000, 50, 100)


def pytest_collection_finish(session):
    gc.collect()
    gc.freeze()


def pytest_addoption(parser):
    parser.addoption(
        "--on-day",
        default=clock.USUAL,
        metavar="YYYY-MM-DD[THH:MM]",
        help=f"the day in Paris on which the tests live (usually {clock.USUAL})",
    )


def pytest_configure(config):
    # Before any test module is read: some take their day once. What only hands tests out to worker
    # processes runs none itself.
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", None):
        clock.start(config.getoption("--on-day"))


# Each takes minutes: at the end of a run all others would wait for it.
_FIRST = ("tests/upgrade/", "tests/test_hostile_requests", "tests/test_typed_input")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: not item.nodeid.startswith(_FIRST))


@pytest.fixture(autouse=True)
def _same_moment():
    clock.back_to_start()


@pytest.fixture(autouse=True)
def _pages_are_laid_out_where_they_are_looked_at(request, monkeypatch):
    """`prints` marks the tests that look, beside those of the documents themselves."""
    marks = {mark.name for mark in request.node.iter_markers()}
    if not marks & {"prints", "browser"} and "/documents/" not in request.node.nodeid:
        whole = layout.laid_out_once()
        monkeypatch.setattr(render, "laid_out", lambda html, makers: whole)


@pytest.fixture(autouse=True)
def _test_settings(settings):
    # A request of the test before may have left its reader's language behind.
    translation.activate("en-gb")
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.SECURE_SSL_REDIRECT = False
    settings.SESSION_COOKIE_SECURE = False
    settings.CSRF_COOKIE_SECURE = False


# The database refuses to delete what was issued; emptying it between transactional tests is the one
# exception. `post_migrate`, which a flush sends too, puts the triggers back.
_flush = flush.Command.handle


def _flush_without_triggers(self, **options):
    database_rules.remove(connections[options["database"]])
    return _flush(self, **options)


flush.Command.handle = _flush_without_triggers


def _drop_with_its_sessions(self, test_database_name, verbosity):
    """A worker that a test killed may still hold its session when the database is dropped."""
    with self._nodb_cursor() as cursor:
        name = self.connection.ops.quote_name(test_database_name)
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


postgresql_creation.DatabaseCreation._destroy_test_db = _drop_with_its_sessions


def _signed_in(role: str) -> Browser:
    browser = Browser()
    browser.force_login(
        make_user(role=role), backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    return browser


@pytest.fixture
def clerk(db) -> User:
    return make_user(role=User.Role.FINANCE, name="Maëlle Kervadec")


@pytest.fixture
def clerk_client(clerk) -> Browser:
    browser = Browser()
    browser.force_login(clerk, backend="allauth.account.auth_backends.AuthenticationBackend")
    return browser


@pytest.fixture
def manager_client(db) -> Browser:
    return _signed_in(User.Role.MANAGER)


@pytest.fixture
def admin_client(db) -> Browser:
    return _signed_in(User.Role.ADMINISTRATOR)


@pytest.fixture
def sales_client(db) -> Browser:
    return _signed_in(User.Role.SALES)


@pytest.fixture
def failures():
    """What failed, whoever caught it: an error page is a failure too."""
    found = []

    def note(sender, request, **_rest):
        found.append(request)

    got_request_exception.connect(note)
    yield found
    got_request_exception.disconnect(note)


@pytest.fixture
def vies(settings):
    """The stand-in for VIES on a real socket, asked where the portal asks VIES."""
    from integrations.sandbox.vies.stand_in import ViesSandbox

    with ViesSandbox() as running:
        settings.DEMO, settings.VIES_URL = True, running.vies_url
        yield running


@pytest.fixture
def postbox(settings):
    """A mail server that keeps what it took: our mails go there."""
    from tests.postbox import open_postbox

    with open_postbox(settings) as box:
        yield box


@pytest.fixture
def places():
    """The address of each page, about one row of everything, with names that mean harm."""
    # Not above: a module of tests is read once the clock stands.
    from tests.places import make_places

    return make_places()

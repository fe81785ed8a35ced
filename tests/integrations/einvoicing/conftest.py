"""A platform that is connected, and an invoice with its files, made without printing."""

from __future__ import annotations

import pytest

from integrations.connecting import connect_platform
from integrations.platform.client import PlatformClient
from integrations.sandbox.platform.stand_in import PlatformSandbox
from tests.factories import make_company
from tests.transmitted import BUYER


@pytest.fixture(scope="module")
def running():
    with PlatformSandbox({BUYER: [BUYER]}) as sandbox:
        yield sandbox


@pytest.fixture
def platform(running):
    """Empty and well, whatever the test before did to it."""
    running.faults.clear()
    running.reset_counts()
    running.world.__init__({BUYER: [BUYER]})
    return running


@pytest.fixture
def connection(db, platform, settings, monkeypatch):
    settings.DEMO = True
    # A second try comes with the next sweep; here nobody waits for one.
    monkeypatch.setitem(PlatformClient.__init__.__kwdefaults__, "attempts", 1)
    make_company()
    return connect_platform(base_url=platform.base_url, api_token=platform.token)
